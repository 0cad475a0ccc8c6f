"""Run a genesis study file: each section's function, and the order in which they are called.

A checked `Study` and a folder come in; the run folder, report first, goes out.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gossan._checks import GossanWarning, check_option
from gossan.data.assays import Assays
from gossan.geochem.censoring import IMPUTATION_METHODS
from gossan.report import write_report
from gossan.report.genesis import genesis_report
from gossan.saving import save_model
from gossan.studies import genesis
from gossan.studies.deposit_types import DepositTypeModel
from gossan.studies.genesis_findings import classification_findings, study_findings
from gossan.studies.genesis_tables import (
    LabelledTable,
    read_labelled,
    read_unknown,
)
from gossan.studies.record import Study
from gossan.studies.run_folder import RunFolder, fingerprint


def labels(
    *,
    deposit: str = "deposit",
    type: str = "type",  # noqa: A002 - the column's word in a study file
    reference: str | None = None,
) -> dict[str, Any]:
    """Columns of the labels: the deposit, its type, and the study or laboratory."""
    return {"deposit": deposit, "type": type, "reference": reference}


def impute(*, method: str = "0.65") -> dict[str, Any]:
    """How values below detection are imputed, see `gossan.geochem.impute_censored`."""
    check_option("method", method, IMPUTATION_METHODS)
    return {"method": method}


def model(
    *,
    name: str = "recommended",
    coverage: float = 0.9,
    max_missing: float = 0.5,
    random_state: int = 0,
) -> dict[str, Any]:
    """Which model, the coverage of its sets, and which elements are too sparse for it."""
    check_option("name", name, tuple(genesis.MODELS))
    _check_range("coverage", coverage, 0.5, 0.99, "0.9 keeps the true type in nine of ten sets")
    _check_range("max_missing", max_missing, 0.0, 1.0, "0.5 leaves out what is half empty")
    _check_range("random_state", random_state, 0, 2**31 - 1, "any whole number will do")
    return {
        "name": name,
        "coverage": coverage,
        "max_missing": max_missing,
        "random_state": random_state,
    }


def validate(
    *,
    baselines: Sequence[str] = ("lda", "nearest", "extra_trees"),
    n_splits: int = 0,
    n_random_splits: int = 5,
    seeds: Sequence[int] = (0,),
    null_permutations: int = 20,
) -> dict[str, Any]:
    """Which simple models stand beside, the folds, the seeds and the null test."""
    for baseline in baselines:
        genesis.make_model(baseline)
    if n_splits == 1:
        raise ValueError(
            "n_splits must be 0 or 2 and more, got 1: one fold leaves nothing to learn from. Set 0 "
            "to hold out one deposit at a time."
        )
    _check_range("n_splits", n_splits, 0, np.inf, "0 holds out one deposit at a time")
    _check_range("n_random_splits", n_random_splits, 2, np.inf, "5 is usual")
    _check_range("null_permutations", null_permutations, 0, 10_000, "0 leaves the null test out")
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(
            f"seeds must name one seed or several different ones, got {list(seeds)}. Set seeds = [0]."
        )
    for seed in seeds:
        _check_range("seeds", seed, 0, 2**31 - 1, "any whole number will do")
    return {
        "baselines": tuple(baselines),
        "n_splits": n_splits,
        "n_random_splits": n_random_splits,
        "seeds": tuple(seeds),
        "null_permutations": null_permutations,
    }


def _check_range(name: str, value: float, low: float, high: float, hint: str) -> None:
    if not low <= value <= high:
        upper = f" to {high:g}" if np.isfinite(high) else " or more"
        raise ValueError(f"{name} must be {low:g}{upper}, got {value:g}: {hint}.")


def read_table(study: Study) -> LabelledTable:
    """The labelled table that a study names, paths taken from the study file."""
    read = dict(study.sections.get("read", {}))
    if "table" not in read:
        raise ValueError(f'{study.path}: [read] needs table = "FILE", the training table.')
    read["table"] = _beside(study, read["table"])
    chosen = labels(**study.sections.get("labels", {}))
    how = impute(**study.sections.get("impute", {}))
    sparse = model(**study.sections.get("model", {}))["max_missing"]
    return read_labelled(read, **chosen, **how, max_missing=sparse)


def read_new_deposits(
    study: Study, labelled: LabelledTable
) -> tuple[pd.DataFrame, np.ndarray, Assays]:
    """The deposits to classify that a study names under [classify]."""
    arguments = dict(study.sections["classify"])
    if "table" not in arguments:
        raise ValueError(f'{study.path}: [classify] needs table = "FILE", the new analyses.')
    arguments["table"] = _beside(study, arguments["table"])
    values, deposits, assays = read_unknown(
        elements=labelled.elements, training=labelled.table, **arguments
    )
    for finding in assays.report.of_kind("wrong unit?"):
        message = f"{assays.source}: {finding.column}: {finding.message}."
        warnings.warn(message, GossanWarning, stacklevel=2)
    return values, deposits, assays


def check_fit(study: Study, labelled: LabelledTable) -> None:
    """Raise if the table allows no folds as asked, or has gaps that the model cannot take."""
    chosen = model(**study.sections.get("model", {}))
    how = validate(**study.sections.get("validate", {}))
    genesis.protocol_folds(
        labelled, n_splits=how["n_splits"], n_random_splits=how["n_random_splits"]
    )
    genesis.check_gaps(labelled, chosen["name"])


def run_genesis(
    study: Study, target: Path, *, progress: Callable[[str], None] | None = None
) -> Path:
    """Run the study into `target`; parts that an earlier run finished are not done again."""
    say = progress or (lambda _: None)
    chosen = model(**study.sections.get("model", {}))
    how = validate(**study.sections.get("validate", {}))
    name, seed = chosen["name"], chosen["random_state"]
    say(f"reading {study.sections.get('read', {}).get('table')}")
    labelled = read_table(study)
    check_fit(study, labelled)  # before the folder is made and the long part begins
    new = read_new_deposits(study, labelled) if "classify" in study.sections else None
    folder = RunFolder(target, owner=f"run of {study.path.name}")
    trust = genesis.validate(
        labelled, folder=folder, name=name, random_state=seed, progress=say, **how
    )
    say("training on all deposits")
    fitted = genesis.train(
        labelled, trust, name=name, coverage=chosen["coverage"], random_state=seed
    )
    say("importance of the elements, and the report")
    findings = study_findings(
        labelled,
        trust,
        fitted,
        folder=folder,
        title=study.title,
        name=name,
        mineral=study.mineral,
    )
    card = model_card(labelled, trust, name)
    save_model(fitted, folder.path / "model", card=card, overwrite=True)
    _write_tables(
        folder, labelled, trust=trust, fitted=fitted, verdicts=findings.verdicts, name=name
    )
    folder.write_text("study.toml", study.path.read_text(encoding="utf-8-sig"))
    manifest = folder.write_manifest(
        {
            "study": study.kind,
            "title": study.title,
            "table": {"file": labelled.assays.source, "sha256": fingerprint(labelled.table)},
            "model": name,
            "seeds": list(how["seeds"]),
            "left_out": labelled.left_out,
        }
    )
    findings = replace(findings, manifest=_printable(manifest), model_card=card)
    write_report(folder.path / "report.html", genesis_report(findings))
    if new is not None:
        say("classifying the new deposits")
        values, deposits, assays = new
        classify_into(
            folder, fitted, card=card, values=values, deposits=deposits, assays=assays,
            title=f"{study.title}: new deposits", mineral=study.mineral, name="classified",
        )  # fmt: skip
    return folder.path


def classify_into(
    folder: RunFolder,
    fitted: DepositTypeModel,
    *,
    card: dict[str, Any],
    values: pd.DataFrame,
    deposits: np.ndarray,
    assays: Assays,
    title: str,
    mineral: str,
    name: str = "",
) -> pd.DataFrame:
    """Write verdicts, predictions and report of new deposits; return the verdicts."""
    predictions = fitted.predictions(values)
    verdicts = fitted.verdicts(values, deposits, predictions=predictions)
    prefix = f"{name}_" if name else ""
    folder.write_table(f"{prefix}verdicts.csv", verdicts)
    in_context = fitted.in_context(predictions, deposits)
    rows = in_context.rename(columns={"prediction": "prediction_with_deposit"})
    rows.insert(0, "prediction_alone", predictions["prediction"])
    rows.insert(0, "deposit", deposits)
    folder.write_table(f"{prefix}predictions.csv", rows)
    findings = classification_findings(
        fitted,
        card,
        values=values,
        deposits=deposits,
        assays=assays,
        verdicts=verdicts,
        title=title,
        mineral=mineral,
    )
    write_report(folder.path / f"{name or 'report'}.html", genesis_report(findings))
    return verdicts


def model_card(labelled: LabelledTable, trust: genesis.Trust, name: str) -> dict[str, Any]:
    """What a model was trained on and how well it does, honest scores first."""
    scores = trust.scores.set_index(["model", "protocol"]).loc[name]
    honest = scores.loc[genesis.PROTOCOLS["deposit"]]
    random = scores.loc[genesis.PROTOCOLS["random"]]
    return {
        "model": name,
        "trained_on": f"{labelled.assays.source}: {len(labelled.table)} analyses of "
        f"{labelled.table['deposit'].nunique()} deposits",
        "table_sha256": fingerprint(labelled.table),
        "units": "ppm",
        "right verdicts, each deposit held out": _interval(honest, "verdict"),
        "the same, types weighing equally": _interval(honest, "balanced_verdict"),
        "right analyses, each deposit held out": _interval(honest, "accuracy"),
        "right analyses, random split (remembers deposits)": _interval(random, "accuracy"),
        "use": "Deposit types of the classes above only; a deposit of another type gets the nearest "
        "of them unless it lies outside the training data.",
    }


def _interval(row: pd.Series, score: str) -> str:
    return f"{row[score]:.3f} ({row[f'{score}_low']:.3f} to {row[f'{score}_high']:.3f})"


def _write_tables(
    folder: RunFolder,
    labelled: LabelledTable,
    *,
    trust: genesis.Trust,
    fitted: DepositTypeModel,
    verdicts: pd.DataFrame | None,
    name: str,
) -> None:
    folder.write_table("scores.csv", trust.scores)
    if verdicts is not None:
        folder.write_table("verdicts.csv", verdicts)
    validation = trust.validations[name, "deposit"]
    held_out = pd.DataFrame(validation.probabilities, columns=fitted.classes)
    site_columns = [c for c in ("deposit", "type", "reference") if c in labelled.table]
    folder.write_table(
        "predictions.csv", pd.concat([labelled.table[site_columns], held_out], axis=1)
    )
    folder.write_text("quality.txt", str(labelled.assays.report) + "\n")


def _printable(manifest: dict[str, Any]) -> dict[str, str]:
    return {
        key: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for key, value in manifest.items()
    }


def _beside(study: Study, table: str) -> Path:
    path = Path(table)
    return path if path.is_absolute() else study.path.parent / path

"""Run a genesis study file: each section's function, and the order in which they are called.

A checked `Study` and a folder come in; the run folder, report first, goes out.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gossan._checks import GossanWarning
from gossan._machine import check_room
from gossan.data.assays import Assays, read_assays
from gossan.report.genesis import genesis_report
from gossan.saving import load_model, save_model
from gossan.studies.genesis.deposit_types import DepositTypeModel
from gossan.studies.genesis.findings import classification_findings, study_findings
from gossan.studies.genesis.sections import labels, model, validate
from gossan.studies.genesis.tables import LabelledTable, read_labelled, read_unknown
from gossan.studies.genesis.trust import (
    PROTOCOLS,
    Trust,
    check_gaps,
    protocol_folds,
    score_models,
    train,
)
from gossan.studies.looking import FIXED_BYTES
from gossan.studies.record import Study
from gossan.studies.run_folder import RunFolder, fingerprint
from gossan.studies.shared_sections import impute

# Words before the first section besides study and title, and the function behind each section.
TOP_KEYS = ("mineral",)
SECTIONS: Mapping[str, Callable[..., Any]] = {
    "read": read_assays,
    "labels": labels,
    "impute": impute,
    "model": model,
    "validate": validate,
    "classify": read_unknown,
}
BYTES_A_VALUE = 2000.0  # of a run, for each analysis and element
CALLED = ("labels", "impute", "model", "validate")  # cheap: called to check their values


def read_table(study: Study) -> LabelledTable:
    """The labelled table that a study names, paths taken from the study file."""
    read = dict(study.sections.get("read", {}))
    if "table" not in read:
        raise ValueError(f'{study.path}: [read] needs table = "FILE", the training table.')
    read["table"] = beside(study, read["table"])
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
    arguments["table"] = beside(study, arguments["table"])
    values, deposits, assays = read_unknown(
        elements=labelled.elements, training=labelled.table, **arguments
    )
    for finding in assays.report.of_kind("wrong unit?"):
        message = f"{assays.source}: {finding.column}: {finding.message}."
        warnings.warn(message, GossanWarning, stacklevel=2)
    return values, deposits, assays


def check_fit(study: Study, labelled: LabelledTable) -> None:
    """Raise if the table allows no folds, has gaps that the model cannot take, or is too large."""
    chosen = model(**study.sections.get("model", {}))
    how = validate(**study.sections.get("validate", {}))
    protocol_folds(labelled, n_splits=how["n_splits"], n_random_splits=how["n_random_splits"])
    check_gaps(labelled, chosen["name"])
    check_room(
        memory_of(labelled),
        "Keep fewer analyses of the deposits that have most: deposits count, not analyses.",
    )


def memory_of(labelled: LabelledTable) -> float:
    """Memory that a run on a table takes, roughly [bytes]."""
    return FIXED_BYTES + BYTES_A_VALUE * len(labelled.table) * len(labelled.elements)


def run(
    study: Study,
    target: Path,
    *,
    progress: Callable[[str], None] | None = None,
    opened: Callable[..., RunFolder] = RunFolder,
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
    folder = opened(target, owner=f"run of {study.path.name}")
    trust = score_models(labelled, folder=folder, name=name, random_state=seed, progress=say, **how)
    fitted = _fitted(folder, labelled, trust, chosen, say)
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
    folder.write_text("study.toml", study.text)
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
    folder.write_report("report.html", genesis_report(findings))
    if new is not None:
        say("classifying the new deposits")
        values, deposits, assays = new
        classify_into(
            folder, fitted, card=card, values=values, deposits=deposits, assays=assays,
            title=f"{study.title}: new deposits", mineral=study.mineral, name="classified",
        )  # fmt: skip
    return folder.path


def _fitted(
    folder: RunFolder,
    labelled: LabelledTable,
    trust: Trust,
    chosen: Mapping[str, Any],
    say: Callable[[str], None],
) -> DepositTypeModel:
    """Return the model of all deposits: trained or, where only what is kept may be used, read."""
    if folder.only_kept:
        fitted, _ = load_model(folder.path / "model")
        if isinstance(fitted, DepositTypeModel):
            return fitted
    say("training on all deposits")
    return train(
        labelled, trust, name=chosen["name"], coverage=chosen["coverage"],
        random_state=chosen["random_state"],
    )  # fmt: skip


def summarise(folder: Path) -> str:
    """The scores of a run, a line a model and protocol."""
    table = pd.read_csv(folder / "scores.csv")
    lines = [f"{'model':14s} {'protocol':32s} right verdicts     right analyses  log-loss"]
    lines += [
        f"{row.model:14s} {row.protocol:32s} {row.verdict:.2f} ({row.verdict_low:.2f}-"
        f"{row.verdict_high:.2f})   {row.accuracy:.2f}            {row.log_loss:.2f}"
        for row in table.itertuples()
    ]
    return "\n".join(lines)


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
    rows["row"] = assays.rows  # of the table that was read, its header being row 1
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
    folder.write_report(f"{name or 'report'}.html", genesis_report(findings))
    return verdicts


def model_card(labelled: LabelledTable, trust: Trust, name: str) -> dict[str, Any]:
    """What a model was trained on and how well it does, honest scores first."""
    scores = trust.scores.set_index(["model", "protocol"]).loc[name]
    honest = scores.loc[PROTOCOLS["deposit"]]
    random = scores.loc[PROTOCOLS["random"]]
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
    trust: Trust,
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


def beside(study: Study, table: str) -> Path:
    """Path of a file that a study names: relative to the study file."""
    path = Path(table)
    return path if path.is_absolute() else study.path.parent / path

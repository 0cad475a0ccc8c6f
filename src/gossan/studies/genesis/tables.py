"""Tables of the genesis study: labelled analyses to learn from, and unknown ones to classify.

Files and column names come in; values [ppm] without censored cells, with deposits and types, go out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gossan._checks import did_you_mean
from gossan._units import oxide_element
from gossan.data.assays import Assays, read_assays
from gossan.data.tables.headers import OXIDES, parse_header
from gossan.data.tables.screening import Finding, find_wrong_units, format_rows, make_finding
from gossan.geochem import impute_censored

LEAST_DEPOSITS = 3
DEPOSIT_COLUMNS = (
    "deposit", "depositname", "nameofdeposit", "mine", "minename", "site", "sitename",
)  # fmt: skip
MOST_MISSING = 0.5  # share of a row's elements; an analysis with less says too little
WIDENING = 10.0  # one deposit may lie this far beyond most known ones; three: its square root


@dataclass(frozen=True)
class LabelledTable:
    """Analyses with known deposit types, ready to learn from.

    Attributes
    ----------
    table : DataFrame
        Elements [ppm] (censored values imputed), `deposit`, `type` and, if known, `reference`.
    elements : list of str
        Features.
    assays : Assays
        What was read, with its quality report.
    left_out : list of str
        Sentences on rows and elements that were left out.
    """

    table: pd.DataFrame
    elements: list[str]
    assays: Assays
    left_out: list[str]

    @property
    def X(self) -> np.ndarray:  # noqa: N802 - the field's letter
        """Concentrations of shape (n, n_elements) [ppm]."""
        return self.table[self.elements].to_numpy(dtype=float)

    @property
    def y(self) -> np.ndarray:
        """Deposit types, shape (n,)."""
        return self.table["type"].to_numpy()

    @property
    def groups(self) -> np.ndarray:
        """Deposits, shape (n,)."""
        return self.table["deposit"].to_numpy()


def read_labelled(
    read: Mapping[str, Any],
    *,
    deposit: str = "deposit",
    type: str = "type",  # noqa: A002 - the column's word in a study file
    reference: str | None = None,
    method: str = "0.65",
    max_missing: float = 0.5,
) -> LabelledTable:
    """Read the training table: analyses, labels, values below detection imputed.

    Parameters
    ----------
    read : mapping
        Arguments of `gossan.read_assays`, `table` among them.
    deposit, type, reference : str
        Columns of the labels; `reference` may be missing.
    method : str
        Imputation of values below detection, see `gossan.geochem.impute_censored`.
    max_missing : float
        Elements that are missing in a larger share of the analyses are left out.

    Returns
    -------
    labelled : LabelledTable

    Raises
    ------
    ValueError
        If a label column is not there, or there are too few types or deposits to validate.
    """
    _check_ppm(read)
    assays = read_assays(**read)
    sites = _labels(assays, deposit=deposit, type=type, reference=reference)
    values, left_out = usable_values(assays, method=method, max_missing=max_missing)
    has_label = (sites["deposit"].notna() & sites["type"].notna()).to_numpy()
    has_values = ~_is_sparse(values)
    for is_good, lack in ((has_label, "a deposit or a type"), (has_values, "half of the elements")):
        if not is_good.all():
            rows = assays.rows[~is_good]
            where = format_rows(rows.tolist())
            left_out.append(f"{len(rows)} analyses without {lack} were left out: {where}.")
    table = pd.concat([values, sites], axis=1)[has_label & has_values].reset_index(drop=True)
    _check_enough(table, assays.source)
    if "reference" in table and table["reference"].nunique() <= LEAST_DEPOSITS:
        count = table["reference"].nunique()
        left_out.append(
            f"{reference} has {count} values, too few to hold each out: that test was left out."
        )
    return LabelledTable(table, list(values.columns), assays, left_out)


def usable_values(
    assays: Assays, *, method: str = "0.65", max_missing: float = 0.5
) -> tuple[pd.DataFrame, list[str]]:
    """Values [ppm] without censored cells or sparse elements, and sentences on what was left out.

    Parameters
    ----------
    assays : Assays
        As read.
    method : str
        Imputation of values below detection.
    max_missing : float
        Largest share of missing values of an element.

    Returns
    -------
    values : DataFrame
        Positive or NaN.
    left_out : list of str
    """
    share = assays.values.isna().mean()
    kept = [name for name in assays.values.columns if share[name] <= max_missing]
    left_out = [
        f"{name} is missing in {share[name]:.0%} of the analyses and was left out."
        for name in assays.values.columns
        if name not in kept
    ]
    if not kept:
        raise ValueError(
            f"{assays.source}: every element is missing in more than {max_missing:.0%} of the "
            "analyses. Check the columns, or raise max_missing."
        )
    values, censored = assays.values[kept], assays.censored[kept]
    if censored.to_numpy().any():
        values = impute_censored(values, censored, method=method)
    return values.where(values > 0), left_out


def read_unknown(
    table: str | Path | pd.DataFrame,
    *,
    elements: Sequence[str],
    deposit: str | None = None,
    method: str = "0.65",
    training: pd.DataFrame | None = None,
    **read: Any,
) -> tuple[pd.DataFrame, np.ndarray, Assays]:
    """Read analyses to classify: values of the model's elements, deposits, and what was read.

    Parameters
    ----------
    table : path or DataFrame
        Analyses.
    elements : sequence of str
        Elements of the model; those that are not in the table come out as NaN.
    deposit : str or None
        Column that names the deposit; None looks for one called deposit, mine or site (or "deposit
        name" and the like), and takes the table as one deposit if there is none.
    method : str
        Imputation of values below detection.
    training : DataFrame, optional
        The model's training table (`elements`, `deposit`, `type`): the new deposits' levels are held
        against it, and a "wrong unit?" or "unusual level" is added to the report.
    **read
        Other arguments of `gossan.read_assays`.

    Returns
    -------
    values : DataFrame of shape (n, n_elements)
        [ppm].
    deposits : array of shape (n,)
    assays : Assays

    Raises
    ------
    ValueError
        If fewer than half of the elements are there, in the table or in every row.
    """
    _check_ppm(read)
    assays = _read_elements(table, elements, read)
    there = [name for name in elements if name in assays.values.columns]
    if 2 * len(there) < len(elements):
        raise ValueError(
            f"{assays.source} has {len(there)} of the {len(elements)} elements that the model needs "
            f"({', '.join(there) or 'none'}); missing are "
            f"{', '.join(e for e in elements if e not in there)}. At least half must be there."
        )
    values = assays.values.reindex(columns=list(elements))
    censored = assays.censored.reindex(columns=list(elements), fill_value=False).astype(bool)
    if censored[there].to_numpy().any():
        values[there] = impute_censored(values[there], censored[there], method=method)
    values = values.where(values > 0)
    deposits, found = _deposit_names(assays, deposit)
    is_sparse = _is_sparse(values)
    if is_sparse.all():
        raise ValueError(
            f"{assays.source} has no analysis with half of the {len(elements)} elements of the model "
            f"({', '.join(elements)}). Fill in what was measured, or check the columns."
        )
    if is_sparse.any():
        message = "less than half of the model's elements: left out"
        found.append(make_finding("sparse", "warning", message, rows=assays.rows[is_sparse]))
    if training is not None:
        medians = values.groupby(deposits).median()
        levels = expected_levels(training[[*elements, "deposit", "type"]], n_deposits=len(medians))
        found += find_wrong_units(medians, assays.units, levels)
        found += _find_known(values, training[list(elements)], rows=assays.rows)
    findings = (*found, *assays.report.findings)
    assays = replace(assays, report=replace(assays.report, findings=findings))
    return values[~is_sparse], deposits[~is_sparse], assays.take(~is_sparse)


def expected_levels(
    training: pd.DataFrame, *, n_deposits: int = 1
) -> dict[str, tuple[float, float]]:
    """Range in which the median of each element of new deposits should lie.

    From the lowest tenth of the deposits of the poorest type to the highest tenth of the richest,
    widened by `WIDENING`. On the public sphalerite table, three deposits or more leave it for some
    element in 0.3 % of all draws, and in 95 % of those in which wt% are taken for ppm or the
    reverse; one deposit in 4 % and 87 %.

    Parameters
    ----------
    training : DataFrame
        Elements [ppm], `deposit` and `type`.
    n_deposits : int
        Number of the new deposits: the median of several is surer.

    Returns
    -------
    expected : dict of element to (low, high)
        [ppm].

    Examples
    --------
    >>> training = pd.DataFrame({"Fe": [900.0, 1100.0, 80000.0], "deposit": ["A", "A", "B"],
    ...                          "type": ["MVT", "MVT", "Skarn"]})
    >>> expected_levels(training)
    {'Fe': (100.0, 800000.0)}
    """
    medians = training.groupby(["type", "deposit"]).median()
    kinds = medians.groupby("type")
    widening = WIDENING if n_deposits < LEAST_DEPOSITS else np.sqrt(WIDENING)
    lowest, highest = kinds.quantile(0.1).min() / widening, kinds.quantile(0.9).max() * widening
    known = [name for name in medians.columns if lowest[name] < highest[name]]
    return {name: (float(lowest[name]), float(highest[name])) for name in known}


def doubts(assays: Assays, *, most: int = 20) -> list[str]:
    """Errors and warnings on a table as lines to print, with their columns and rows.

    Parameters
    ----------
    assays : Assays
        What was read.
    most : int
        Number of lines before the rest is counted only.

    Returns
    -------
    lines : list of str
    """
    grave = [finding for finding in assays.report.findings if finding.severity != "note"]
    lines = []
    for finding in grave[:most]:
        column = f"{finding.column}: " if finding.column else ""
        rows = format_rows(finding.rows, finding.n_cells)
        lines.append(f"{finding.severity}: {column}{finding.message}{f'; {rows}' * bool(rows)}")
    if len(grave) > most:
        lines.append(f"... and {len(grave) - most} more; see the report (--out FOLDER)")
    return lines


def _find_known(values: pd.DataFrame, training: pd.DataFrame, *, rows: np.ndarray) -> list[Finding]:
    """Return a warning on analyses that the model was trained on: of them it tells what it was told."""

    def to_keys(table: pd.DataFrame) -> pd.Index:
        # Three decimals of the logarithm: single and double precision, and four digits, agree.
        return pd.MultiIndex.from_frame(np.log10(table).round(3).fillna(-99.0) + 0.0)

    is_known = to_keys(values).isin(to_keys(training))
    if not is_known.any():
        return []
    message = (
        f"{is_known.sum():,} of {len(values):,} analyses stand in the training table of the model:"
        " their verdicts are memory and no test of it"
    )
    return [make_finding("known analyses", "warning", message, rows=rows[is_known])]


def _check_ppm(read: Mapping[str, Any]) -> None:
    if read.get("convert", True) is False:
        raise ValueError(
            "Deposit types are learned and told from concentrations in ppm, got convert = false."
            ' Leave convert out, or set convert = "element" to turn oxides into elements.'
        )


def _read_elements(
    table: str | Path | pd.DataFrame, elements: Sequence[str], read: Mapping[str, Any]
) -> Assays:
    """Read a table; elements of the model that are there as oxides or as text are asked for."""
    assays = read_assays(table, **read)
    there = set(assays.values.columns)
    as_oxide = {oxide_element(str(name)) for name in there if name in OXIDES}
    as_text = {parse_header(f.column).analyte for f in assays.report.of_kind("not an analysis")}
    hidden = (as_oxide | as_text) - there
    if hidden.isdisjoint(elements):
        return assays
    wanted = [name for name in elements if name in there or name in hidden]
    return read_assays(table, **{**read, "elements": wanted})


def _is_sparse(values: pd.DataFrame) -> np.ndarray:
    """Return whether more than half of the elements are missing, for each row."""
    return (values.isna().mean(axis=1) > MOST_MISSING).to_numpy()


def _deposit_names(assays: Assays, deposit: str | None) -> tuple[np.ndarray, list[Finding]]:
    """Return the deposit of each row, and what is doubtful about them."""
    if deposit is None:
        bare = {re.sub(r"[\W_]", "", str(c).lower()): c for c in reversed(assays.sites.columns)}
        named = [bare[word] for word in DEPOSIT_COLUMNS if word in bare]
        if not named:
            message = (
                "no column is called deposit, mine or site: the whole table is taken as one deposit."
                " If it holds several, name their column (--deposit COLUMN)"
            )
            doubt = make_finding("one deposit", "warning", message)
            return np.full(assays.n_samples, "all analyses"), [doubt]
        deposit = str(named[0])
    if deposit not in assays.sites.columns:
        raise ValueError(_no_column(assays, "deposit", deposit))
    names = assays.sites[deposit].astype("string").str.strip()
    is_blank = (names.isna() | (names == "")).to_numpy(dtype=bool)
    found = []
    if is_blank.any():
        message = "no deposit named: these analyses are taken together as one"
        rows = assays.rows[is_blank]
        found = [make_finding("no deposit", "warning", message, rows=rows, column=deposit)]
    return names.mask(is_blank, "(no deposit named)").to_numpy(dtype=str), found


def _labels(assays: Assays, **columns: str | None) -> pd.DataFrame:
    """Return the label columns under their roles: deposit, type, and reference if named."""
    sites = pd.DataFrame(index=assays.sites.index)
    for role, column in columns.items():
        if column is None:
            continue
        if column not in assays.sites.columns:
            raise ValueError(_no_column(assays, role, column))
        text = assays.sites[column].astype("string").str.strip()
        sites[role] = text.where(text.str.len() > 0)
    return sites


def _no_column(assays: Assays, role: str, column: str) -> str:
    there = [str(name) for name in assays.sites.columns]
    return (
        f"{assays.source} has no column {column!r} for the {role}; besides its analyses it has "
        f"{', '.join(there) or 'none'}.{did_you_mean(column, there)} Name the right one as {role}."
    )


def _check_enough(table: pd.DataFrame, source: str) -> None:
    counts = table.groupby("type")["deposit"].nunique()
    if len(counts) < 2:
        raise ValueError(
            f"{source} has one deposit type ({counts.index.tolist()}), and telling types apart needs "
            "two or more. Check the type column."
        )
    few = counts[counts < LEAST_DEPOSITS]
    if len(few):
        named = ", ".join(f"{name} ({count})" for name, count in few.items())
        raise ValueError(
            f"{source}: each type needs at least {LEAST_DEPOSITS} deposits to be learned and tested, "
            f"but there are too few of {named}. Merge types, or leave these rows out."
        )

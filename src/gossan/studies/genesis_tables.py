"""Tables of the genesis study: labelled analyses to learn from, and unknown ones to classify.

Files and column names come in; values [ppm] without censored cells, with deposits and types, go out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gossan._checks import did_you_mean
from gossan.data.assays import Assays, read_assays
from gossan.geochem import impute_censored

LEAST_DEPOSITS = 3
DEPOSIT_COLUMNS = ("deposit", "mine", "site")


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
    assays = read_assays(**read)
    sites = _labels(assays, deposit=deposit, type=type, reference=reference)
    values, left_out = usable_values(assays, method=method, max_missing=max_missing)
    has_label = sites["deposit"].notna() & sites["type"].notna() & values.notna().any(axis=1)
    if not has_label.all():
        count = int((~has_label).sum())
        left_out.append(f"{count} analyses without deposit, type or any value were left out.")
    table = pd.concat([values, sites], axis=1)[has_label.to_numpy()].reset_index(drop=True)
    _check_enough(table, assays.source)
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
        Column that names the deposit; None looks for one called deposit, mine or site, and takes
        the table as one deposit if there is none.
    method : str
        Imputation of values below detection.
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
        If fewer than half of the elements are there.
    """
    assays = read_assays(table, **read)
    there = [name for name in elements if name in assays.values.columns]
    if 2 * len(there) < len(elements):
        raise ValueError(
            f"{assays.source} has {len(there)} of the {len(elements)} elements that the model needs "
            f"({', '.join(there) or 'none'}); missing are "
            f"{', '.join(e for e in elements if e not in there)}. At least half must be there."
        )
    values = assays.values.select_dtypes("number").reindex(columns=list(elements))
    censored = assays.censored.reindex(columns=list(elements), fill_value=False).astype(bool)
    if censored[there].to_numpy().any():
        values[there] = impute_censored(values[there], censored[there], method=method)
    values = values.where(values > 0)
    deposits = _deposit_names(assays, deposit)
    return values, deposits, assays


def _deposit_names(assays: Assays, deposit: str | None) -> np.ndarray:
    if deposit is None:
        named = [c for c in assays.sites.columns if str(c).strip().lower() in DEPOSIT_COLUMNS]
        if not named:
            return np.full(assays.n_samples, "all analyses")
        deposit = named[0]
    if deposit not in assays.sites.columns:
        raise ValueError(_no_column(assays, "deposit", deposit))
    names = assays.sites[deposit].astype("string").str.strip()
    return names.fillna("(no deposit named)").to_numpy(dtype=str)


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
        f"{assays.source} has no column {column!r} for the {role}; it has {', '.join(there)}."
        f"{did_you_mean(column, there)} Name the right one with {role} = ..."
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

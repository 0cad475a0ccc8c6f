"""Names of methods as a reader sees them: acronyms in capitals; the keys of study files stay.

Findings with methods under their keys come in; the same with readable names, also in their sentences,
go out. The one place where a name is turned.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

import pandas as pd

from gossan.report._checked import leak_finding
from gossan.report.blocks import Details, Figure, Part, Table

Findings = TypeVar("Findings")

_WORDS = {
    "cnn": "CNN", "dae": "DAE", "fde_ft": "FDE-FT", "fde_lp": "FDE-LP", "gcnn": "GCNN",
    "gcp_ft": "GCP-FT", "gcp_lp": "GCP-LP", "gp": "GP", "idw": "IDW", "knn": "k-NN", "lda": "LDA",
    "lenet": "LeNet", "lstm": "LSTM", "mahalanobis": "Mahalanobis", "maxent": "MaxEnt", "mlp": "MLP",
    "pca": "PCA", "qda": "QDA", "rnn": "RNN", "stoad": "STOAD", "svm": "SVM",
}  # fmt: skip
_METHOD_COLUMNS = ("method", "against", "best_baseline", "model")
_TOLD = ("recommended", "advice", "label_free", "distance", "sentence", "methods", "main_model",
         "chosen", "reference", "network", "targets_note", "importance_label", "factor_note",
         "zoning_note")  # fmt: skip
_TOLD_LISTS = ("conclusion", "ties", "notes", "data_notes", "left_out")


def display_name(method: str) -> str:
    """Name of a method for reading.

    Examples
    --------
    >>> display_name("svm + gp"), display_name("published fde_ft"), display_name("boosted trees")
    ('SVM + GP', 'published FDE-FT', 'boosted trees')
    """
    return " ".join(_WORDS.get(word, word) for word in method.split(" "))


def with_display_names(findings: Findings) -> Findings:
    """Findings with the names of methods as a reader sees them, in tables and in sentences.

    Examples
    --------
    >>> from gossan.report.prospect import ProspectFindings
    >>> scores = pd.DataFrame({"protocol": ["blocks"], "method": ["balanced svm"], "auc": [0.8]})
    >>> found = ProspectFindings(title="A", table_names={}, n_cells=9, area_km2=1.0, n_occurrences=2,
    ...                          scores=scores, advice="'balanced svm' is the simplest.")
    >>> with_display_names(found).advice
    "'balanced SVM' is the simplest."
    """
    own: Any = findings
    held = {part.name: getattr(own, part.name) for part in fields(own)}
    turned = _turned_names([held.get("recommended", ""), *_names_in(held.values())])
    if not turned:
        return findings
    longest_first = sorted(turned, key=len, reverse=True)
    found = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")

    def told(text: str) -> str:
        return found.sub(lambda name: turned[name[0]], text)

    changed: dict[str, Any] = {}
    for name, value in held.items():
        if isinstance(value, pd.DataFrame):
            changed[name] = _turned_frame(value, turned)
        elif name in _TOLD:
            changed[name] = told(str(value))
        elif name in _TOLD_LISTS:
            changed[name] = [told(str(each)) for each in value]
        elif name == "leaks" and not isinstance(value, dict):
            leaks = [leak_finding(leak) for leak in value]
            changed[name] = [replace(leak, message=told(leak.message)) for leak in leaks]
        elif name == "extra":
            changed[name] = [
                replace(
                    part, intro=told(part.intro), blocks=_turned_blocks(part.blocks, turned, told)
                )
                for part in value
            ]
    named: Findings = replace(own, **changed)
    return named


def _names_in(values: Sequence[Any] | Any) -> list[str]:
    tables = [value for value in values if isinstance(value, pd.DataFrame)]
    return [
        str(name)
        for table in tables
        for column in _METHOD_COLUMNS
        if column in table
        for name in table[column].dropna().unique()
    ]


def _turned_names(names: Sequence[str]) -> dict[str, str]:
    return {name: display_name(name) for name in names if display_name(name) != name}


def _turned_frame(table: pd.DataFrame, turned: dict[str, str]) -> pd.DataFrame:
    known = [column for column in _METHOD_COLUMNS if column in table]
    return table.assign(**{column: table[column].replace(turned) for column in known})


def _turned_blocks(
    blocks: Sequence[Any], turned: dict[str, str], told: Callable[[str], str]
) -> list[Any]:
    """Return blocks with the names of methods turned in their tables and words."""
    found: list[Any] = []
    for block in blocks:
        if isinstance(block, Table):
            found.append(
                replace(block, frame=_turned_frame(block.frame, turned), note=told(block.note),
                        headings={key: told(text) for key, text in block.headings.items()})
            )  # fmt: skip
        elif isinstance(block, Figure):
            found.append(replace(block, alt=told(block.alt), caption=told(block.caption)))
        elif isinstance(block, (Part, Details)):
            found.append(replace(block, blocks=_turned_blocks(block.blocks, turned, told)))
        else:
            found.append(block)
    return found

"""The trust box of a report: what must be known of a score before it is quoted, the same in all pages.

Seven answers come in, each a number with what to hold against it, or why there is none; the page
shows them in one shape, so that two studies can be laid side by side.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from gossan._checks import check_option

QUESTIONS = {
    "published": "The published way",
    "honest": "The honest way",
    "gap": "Gap between them",
    "null": "Null test",
    "baseline": "Best other simple method",
    "leaks": "Leaks found",
    "prevalence": "Prevalence",
}
_TONES = ("plain", "good", "warning", "error", "none")


@dataclass(frozen=True)
class Answer:
    """One answer of the trust box.

    Parameters
    ----------
    value : str
        The number as written ("0.81", "1 in 430").
    label : str
        What it is ("AUC, whole blocks held out").
    detail : str
        Interval, comparison or caution.
    tone : {"plain", "good", "warning", "error", "none"}
        Colour of the edge, the words carry the meaning too; "none" for what is not applicable.
    """

    value: str
    label: str = ""
    detail: str = ""
    tone: str = "plain"

    def __post_init__(self) -> None:
        check_option("tone", self.tone, _TONES)


def not_applicable(why: str) -> Answer:
    """Answer of a study that has no such number, and why.

    Examples
    --------
    >>> not_applicable("grades have no classes").detail
    'grades have no classes'
    """
    return Answer("not applicable", detail=why, tone="none")


@dataclass(frozen=True, kw_only=True)
class TrustBox:
    """What a score is worth: both protocols, gap, null, simple method, leaks, prevalence.

    Parameters
    ----------
    published, honest : Answer
        The score as papers report it, and on what was held out.
    gap : Answer
        Their difference: what the first owes to knowing the answer.
    null : Answer
        What the same test gives where there is nothing to find.
    baseline : Answer
        The best simple method under the honest protocol.
    leaks : Answer
        What lets a test know what it asks.
    prevalence : Answer
        Shares of what is looked for; every score is read against it.
    """

    published: Answer
    honest: Answer
    gap: Answer
    null: Answer
    baseline: Answer
    leaks: Answer
    prevalence: Answer

    @property
    def answers(self) -> list[tuple[str, str, Answer]]:
        """Name, question and answer of each, in the order in which all pages show them."""
        return [(name, question, getattr(self, name)) for name, question in QUESTIONS.items()]

    @property
    def frame(self) -> pd.DataFrame:
        """The box as a table, for the CSV."""
        rows = [(question, a.value, a.label, a.detail) for _, question, a in self.answers]
        return pd.DataFrame(rows, columns=["question", "value", "what", "against"])


def leak_answer(n_leaks: int, n_notes: int = 0, *, detail: str = "") -> Answer:
    """Answer on leaks from their number.

    Parameters
    ----------
    n_leaks : int
        Findings that flatter a score.
    n_notes : int
        Findings that are told and flatter nothing.
    detail : str
        What to say beside it.

    Returns
    -------
    answer : Answer

    Examples
    --------
    >>> leak_answer(0, 2).value, leak_answer(3).tone
    ('none', 'warning')
    """
    notes = f"{n_notes} {'note' if n_notes == 1 else 'notes'} on the tests below" if n_notes else ""
    told = detail or ("told below" if n_leaks else notes)
    return Answer(str(n_leaks) if n_leaks else "none", "", told, "warning" if n_leaks else "plain")

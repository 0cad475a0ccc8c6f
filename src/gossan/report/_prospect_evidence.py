"""Which known deposits a prospectivity map would have missed, and what speaks for ore on it.

The findings of the study come in; the two sections go out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import xarray as xr

from gossan.plot.contributions import plot_contributions
from gossan.plot.curves import plot_importance
from gossan.plot.maps import map_extent
from gossan.plot.style import INK, new_axes, plain, to_svg
from gossan.report._prospect_maps import (
    MISSED,
    draw_map,
    map_axes,
    own_words,
    rank_norm,
    shown_grid,
)
from gossan.report._prospect_words import recommended_of
from gossan.report._scored_words import columns_of
from gossan.report._writing import count_of, join_words
from gossan.report.blocks import Block, Figure, Table
from gossan.report.page import Section

if TYPE_CHECKING:
    from gossan.report.prospect import ProspectFindings

FOUND = 0.1  # best share of the area that counts as found
PASSED = 0.5  # beyond it the map would have sent one elsewhere
_SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)
_NAMED = 6  # of the worst missed, on the map
_FOUND, _MISSED = "Found in the best 10 %", "Missed: outside it"
_LOOKS = {_FOUND: ("o", "white"), _MISSED: ("X", MISSED)}
_APART = (0.14, 0.05)  # of the frame, between two names
_MOST_BARS = 15
_COLUMNS = ("name", "easting", "northing", "camp", "share", "rank", "n_merged")
_HEADINGS = {
    "easting": "easting [m]",
    "northing": "northing [m]",
    "share": "ground ranked above it",
    "rank": "lies in",
    "n_merged": "occurrences in its cell",
}
_FORMATS = {"easting": "{:,.0f}", "northing": "{:,.0f}", "share": "{:.1%}", "n_merged": "{:.0f}"}


def missed_section(findings: ProspectFindings) -> Section:
    """Build "Which known deposits it would have missed", the worst first."""
    table = findings.occurrence_table
    title = "Which known deposits it would have missed"
    if table is None or not len(table):
        return Section(title)
    ranked = ranked_occurrences(table)
    blocks: list[Block] = []
    grid = shown_grid(findings)
    if grid is not None and {"easting", "northing"} <= set(ranked):
        blocks.append(_missed_figure(findings, grid, ranked))
    note = (
        "Ranked by models that saw neither the occurrence nor its block. The highest shares are the"
        " occurrences to ask why: another type of ore, thick cover, no sample near, or a wrong place."
    )
    blocks.append(
        Table("Known occurrences, the worst missed first", ranked[columns_of(ranked, _COLUMNS)],
              note=note, headings=_HEADINGS, formats=_FORMATS)
    )  # fmt: skip
    return Section(title, missed_sentence(ranked, has_map=bool(findings.n_cells)), blocks)


def ranked_occurrences(table: pd.DataFrame) -> pd.DataFrame:
    """Return occurrences, the worst missed first, with their rank in words.

    Examples
    --------
    >>> table = pd.DataFrame({"name": ["A", "B"], "share": [0.004, 0.73]})
    >>> ranked_occurrences(table)["rank"].tolist()
    ['lower half', 'best 1 %']
    """
    ranked = table.sort_values("share", ascending=False, kind="stable").reset_index(drop=True)
    if "n_merged" in ranked and (ranked["n_merged"] <= 1).all():
        ranked = ranked.drop(columns="n_merged")
    if "rank" in ranked:
        return ranked
    return ranked.assign(rank=[_rank_words(float(share)) for share in ranked["share"]])


def _rank_words(share: float) -> str:
    inside = next((each for each in _SHARES if share <= each), None)
    return "lower half" if inside is None else f"best {100 * inside:g} %"


def missed_sentence(ranked: pd.DataFrame, *, has_map: bool = True) -> str:
    """Say how many known occurrences a map without them would have shown, and which it would not."""
    n, shares = len(ranked), ranked["share"].astype(float)
    n_found, passed = int((shares <= FOUND).sum()), ranked[shares > PASSED]
    made, ground = ("maps made", "area") if has_map else ("models taught", "background")
    told = (
        f"{'On' if has_map else 'By'} {made} without them, {n_found} of"
        f" {count_of(n, 'known occurrence')}"
        f" {'lies' if n_found == 1 else 'lie'} in the best {100 * FOUND:g} % of the {ground} and"
        f" {n - n_found} {'is' if n - n_found == 1 else 'are'} missed"
    )
    if not len(passed):
        return f"{told}; none lies in the lower half."
    named = (
        join_words([str(name) for name in passed["name"]], longest=5) if "name" in passed else ""
    )
    which = f": {named}" if named else ""
    verb = "lies" if len(passed) == 1 else "lie"
    return f"{told}; {len(passed)} {verb} even in the lower half{which}."


def _missed_figure(findings: ProspectFindings, grid: xr.Dataset, ranked: pd.DataFrame) -> Figure:
    ax = map_axes(grid)[0]
    is_found = ranked["share"].astype(float) <= FOUND
    found, missed = ranked[is_found], ranked[~is_found]
    draw_map(findings, grid, "percentile", ax, targets=False, norm=rank_norm(),
             occurrences={_FOUND: found, _MISSED: missed}, looks=_LOOKS,
             label="Ground that scores lower [%]")  # fmt: skip
    if "name" in missed:
        for _, row in _with_room(missed, grid).head(_NAMED).iterrows():
            ax.annotate(plain(row["name"], longest=22), (row["easting"], row["northing"]),
                        xytext=(0, 6), textcoords="offset points", ha="center", va="bottom",
                        fontsize=6.8, color=INK, zorder=8, gid="name", clip_on=True,
                        bbox={"fc": "white", "ec": "none", "alpha": 0.85, "pad": 1.0})  # fmt: skip
    return Figure(
        "Found and missed, each occurrence held out",
        to_svg(ax),
        alt=f"Map with {count_of(len(found), 'occurrence')} found in the best tenth of the area and"
        f" {len(missed)} missed.",
        caption=f"Dots: {len(found)} known occurrences that maps made without them rank in the best 10 %"
        f" of the area. Orange crosses: the {len(missed)} others, the worst named. In colours, the"
        f" final map.{own_words(findings)}",
        data=ranked,
    )


def _with_room(missed: pd.DataFrame, grid: xr.Dataset) -> pd.DataFrame:
    """Return the occurrences whose names do not lie on that of one missed worse."""
    west, east, south, north = map_extent(grid)
    taken: list[tuple[float, float]] = []
    kept = []
    for place, row in missed.iterrows():
        own = (row["easting"] - west) / (east - west), (row["northing"] - south) / (north - south)
        if all(abs(own[0] - x) > _APART[0] or abs(own[1] - y) > _APART[1] for x, y in taken):
            taken.append(own)
            kept.append(place)
    return missed.loc[kept]


def evidence_section(findings: ProspectFindings) -> Section:
    """Build "What speaks for ore": contributions of the elements, and what the method leans on."""
    blocks: list[Block] = []
    table, importance = findings.attribution, findings.importance
    if table is not None and len(table):
        blocks += _attribution_blocks(table)
    if importance is not None and len(importance):
        blocks.append(_importance_figure(findings, importance))
    method = recommended_of(findings)
    intro = (
        f"What raises and lowers the score of {method or 'the map'}. It tells what the method uses, not"
        " what made the ore."
    )
    return Section("What speaks for ore", intro, blocks)


def _attribution_blocks(table: pd.DataFrame) -> list[Block]:
    columns = columns_of(table, ("known", "targets"))
    if not columns:
        return []
    size = table[columns].abs().max(axis=1)
    shown = table.loc[size.sort_values(ascending=False, kind="stable").index[:_MOST_BARS]]
    shown = shown.sort_values(columns[0], ascending=False, kind="stable")
    ax = new_axes(8, 0.9 + 0.3 * len(shown))[0]
    names = {"known": "at known occurrences", "targets": "at targets on new ground"}
    shown = shown.assign(element=[str(name).replace("_", " ") for name in shown["element"]])
    plot_contributions(shown, {name: names[name] for name in columns}, ax=ax)
    told = ", ".join(f"{row['element']} {row[columns[0]]:+.2f}".replace("-", "−")
                     for _, row in shown.head(6).iterrows())  # fmt: skip
    n_left = len(table) - len(shown)
    rest = f" The {n_left} smallest are in the CSV." if n_left else ""
    gap = " Where the two differ, targets are not like what is known." if len(columns) > 1 else ""
    return [
        Figure(
            "What each element and layer adds",
            to_svg(ax),
            alt=f"Mean contribution of each element and layer {names[columns[0]]}: {told}.",
            caption=f"Mean contribution to the score: right of the line for ore, left against it.{gap}"
            f"{rest}",
            data=table,
        )
    ]


def _importance_figure(findings: ProspectFindings, importance: pd.DataFrame) -> Figure:
    ranked = importance.sort_values("importance", ascending=False, kind="stable")
    shown = ranked.head(_MOST_BARS)
    ax = new_axes(8, 0.9 + 0.26 * len(shown))[0]
    plot_importance(shown, label=findings.importance_label, ax=ax)
    told = ", ".join(
        f"{row['feature']} {row['importance']:.3g}" for _, row in shown.head(6).iterrows()
    )
    return Figure(
        "What the method leans on",
        to_svg(ax),
        alt=f"{findings.importance_label}: {told}.",
        caption="Elements that vary together share their importance: one that stands low may still"
        " carry the signal.",
        data=importance,
    )

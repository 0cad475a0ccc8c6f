"""Tables of mineral chemistry with known truth: classes, deposits, laboratories, detection limits.

A mineral and some counts come in; a table such as a compilation publishes, and everything that
went into it, come out. For demonstrations, and for tests that must know the right answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gossan._checks import check_random_state
from gossan.simulate._mess import make_messy
from gossan.simulate.minerals import MineralTemplate, mineral_template

UNSEEN = "Unseen"
"""Class of the deposits that belong to none of the template's classes."""

_FIRST = ("Bar", "Cos", "Dun", "Fel", "Gim", "Hyr", "Jol", "Kev", "Lup", "Mad", "Nix", "Osk")
_FIRST += ("Pet", "Rud", "Sil", "Tyr", "Ust", "Vob", "Wen", "Zac")
_MIDDLE = ("a", "e", "i", "o", "u", "an", "en", "in", "on", "ar", "el")
_LAST = ("berg", "dale", "fjord", "kopje", "mina", "nica", "pata", "ridge", "sund", "vik", "zia")
_WHOLE = np.log(8e5)  # no analysis above this [ln ppm]
_UNSEEN_DISTANCE = 1.8  # in sds between deposits, for each element


@dataclass(frozen=True)
class ChemistryTruth:
    """What a simulated table was made of; logs are natural, of ppm.

    ln(value) = class mean + deposit effect + reference effect + scatter within the deposit.

    Attributes
    ----------
    class_means : DataFrame (classes, elements)
    deposit_effects : DataFrame (deposits, elements)
    reference_effects : DataFrame (references, elements)
    between_covariance, within_covariance : DataFrames (elements, elements)
        Of the deposit effects, before levels near the whole are cut off; of the scatter in a
        deposit of scale 1.
    within_scale : Series (deposits)
        Factor on the scatter of each deposit.
    deposit_types, deposit_references : Series (deposits)
    is_unseen : Series (deposits)
        True where the deposit belongs to no class of the template.
    values : DataFrame (rows, elements)
        Concentrations before censoring [ppm], row by row as in the table.
    censored : DataFrame (rows, elements)
        True where the table shows a limit.
    deposits : Series (rows)
        True name of each row's deposit, whatever the table spells.
    limits : DataFrame (references, elements)
        Limits of detection [ppm].
    defects : DataFrame (kind, row, column)
        What ``messy=True`` did; rows counted from 0, -1 for the whole column.
    """

    class_means: pd.DataFrame
    deposit_effects: pd.DataFrame
    reference_effects: pd.DataFrame
    between_covariance: pd.DataFrame
    within_covariance: pd.DataFrame
    within_scale: pd.Series
    deposit_types: pd.Series
    deposit_references: pd.Series
    is_unseen: pd.Series
    values: pd.DataFrame
    censored: pd.DataFrame
    deposits: pd.Series
    limits: pd.DataFrame
    defects: pd.DataFrame


@dataclass(frozen=True)
class SimulatedChemistry:
    """A simulated table and its truth.

    Attributes
    ----------
    table : DataFrame
        Columns id, deposit, type, reference, sample, then the elements [ppm].
    truth : ChemistryTruth
    elements : tuple of str
    """

    table: pd.DataFrame
    truth: ChemistryTruth
    elements: tuple[str, ...]


def simulate_mineral_chemistry(
    *,
    mineral: str | MineralTemplate = "sphalerite",
    n_deposits: int = 97,
    n_per_deposit: tuple[int, int] = (5, 200),
    n_references: int | None = None,
    n_unknown: int = 0,
    separation: float = 1.0,
    reference_share: float = 0.2,
    limit_factor: float = 1.0,
    messy: bool = False,
    wrong_unit: str | None = None,
    random_state: int | np.random.Generator | None = 0,
) -> SimulatedChemistry:
    """Table of mineral analyses from deposits of several classes, with the truth beside it.

    Analyses of a deposit resemble one another far more than deposits of a class do, and each
    reference (laboratory) has a bias and detection limits of its own. A random split therefore
    scores near 1, and a split by deposit does not: the leak that `gossan.validation` is about.

    Parameters
    ----------
    mineral : {"sphalerite", "magnetite"} or MineralTemplate, default "sphalerite"
    n_deposits : int, default 97
        Deposits of the template's classes, shared out as its `class_shares`.
    n_per_deposit : (int, int), default (5, 200)
        Fewest and most analyses of a deposit; most deposits have few.
    n_references : int, optional
        Publications, of 1 to many deposits each, mostly of one class. Default 0.37 a deposit.
    n_unknown : int, default 0
        Further deposits of a class that the template does not have, labelled "Unseen".
    separation : float, default 1.0
        Factor on the distance of the class means from their common mean. At 1.0 extra trees give
        about four in five of the held-out deposits the right class.
    reference_share : float, default 0.2
        Share of the variance between deposits that is the laboratory's.
    limit_factor : float, default 1.0
        Factor on all limits of detection; 0 censors nothing.
    messy : bool, default False
        Write the table as it arrives: text cells such as "<0.5" and "bdl", a decimal comma,
        trailing blanks, one deposit spelt in two ways, missing cells, a duplicate row.
    wrong_unit : str, optional
        With `messy`: an element given in wt% without saying so.
    random_state : None, int or Generator, default 0

    Returns
    -------
    simulated : SimulatedChemistry
        Without `messy` a censored cell holds its limit and ``truth.censored`` is its mask.

    Raises
    ------
    ValueError
        If there are fewer deposits than classes or references, a count or a factor is out of
        range, or `wrong_unit` is not an element or is given without `messy`.

    Examples
    --------
    >>> simulated = simulate_mineral_chemistry(n_deposits=20, n_per_deposit=(5, 10))
    >>> simulated.table["type"].nunique(), simulated.truth.deposit_types.size
    (5, 20)
    """
    template = mineral_template(mineral)
    if n_references is None:
        n_references = max(1, round(0.37 * (n_deposits + n_unknown)))
    _check_counts(template, n_deposits, n_per_deposit, n_references, n_unknown)
    _check_factors(separation, reference_share, limit_factor)
    if wrong_unit is not None and (not messy or wrong_unit not in template.elements):
        raise ValueError(
            f"wrong_unit must be one of {', '.join(template.elements)} and needs messy=True, got"
            f" {wrong_unit!r} with messy={messy}. Name an element and set messy."
        )
    rng = check_random_state(random_state)
    world = _draw_world(
        template,
        n_deposits=n_deposits,
        n_references=n_references,
        n_unknown=n_unknown,
        separation=separation,
        reference_share=reference_share,
        rng=rng,
    )
    logs, sites = _draw_analyses(world, n_per_deposit, rng)
    limits = _draw_limits(template, world["reference_effects"].index, limit_factor, rng)
    values = np.exp(logs)
    row_limits = limits.loc[sites["reference"]].set_axis(values.index)
    censored = values < row_limits
    table = pd.concat([sites, values.where(~censored, row_limits)], axis=1)
    defects = pd.DataFrame(columns=["kind", "row", "column"])
    deposits = sites["deposit"]
    if messy:
        table, defects = make_messy(table, censored, wrong_unit=wrong_unit, rng=rng)
        # The last row is a copy; its truth is that of the row it copies.
        source = int(str(defects.loc[defects["kind"] == "duplicate row", "column"].iloc[0])[12:])
        values, censored, deposits = (
            pd.concat([part, part.iloc[[source]]], ignore_index=True)
            for part in (values, censored, deposits)
        )
    truth = ChemistryTruth(
        **world,
        values=values,
        censored=censored,
        deposits=deposits.rename("deposit"),
        limits=limits,
        defects=defects,
    )
    return SimulatedChemistry(table, truth, template.elements)


def _check_counts(
    template: MineralTemplate,
    n_deposits: int,
    n_per_deposit: tuple[int, int],
    n_references: int,
    n_unknown: int,
) -> None:
    n_classes = len(template.class_means)
    if n_deposits < n_classes:
        raise ValueError(
            f"n_deposits must be {n_classes} or more, one a class, got {n_deposits}. Ask for more."
        )
    fewest, most = n_per_deposit
    if not 1 <= fewest <= most:
        raise ValueError(
            f"n_per_deposit must be (fewest, most) with 1 <= fewest <= most, got {n_per_deposit}."
            " Give the smaller number first."
        )
    if n_unknown < 0 or not 1 <= n_references <= n_deposits + n_unknown:
        raise ValueError(
            f"n_references must lie between 1 and the {n_deposits} + {n_unknown} deposits, got"
            f" {n_references}. A reference describes at least one deposit."
        )


def _check_factors(separation: float, reference_share: float, limit_factor: float) -> None:
    if separation < 0 or limit_factor < 0 or not 0 <= reference_share <= 1:
        raise ValueError(
            "separation and limit_factor must be 0 or more and reference_share between 0 and 1,"
            f" got {separation}, {limit_factor} and {reference_share}. Use the defaults."
        )


def _draw_world(
    template: MineralTemplate,
    *,
    n_deposits: int,
    n_references: int,
    n_unknown: int,
    separation: float,
    reference_share: float,
    rng: np.random.Generator,
) -> dict[str, pd.DataFrame | pd.Series]:
    """Class means, deposits, references and their effects: the truth above the analyses."""
    elements = list(template.elements)
    between = np.array(template.between_sd)
    means = pd.DataFrame(dict(template.class_means), index=elements).T
    means = means.mean() + separation * (means - means.mean())
    if n_unknown:
        signs = rng.choice([-1.0, 1.0], size=len(elements))
        means.loc[UNSEEN] = means.mean() + _UNSEEN_DISTANCE * between * signs
    names = _draw_names(n_deposits + n_unknown, rng)
    types = pd.Series(_share_out(template, n_deposits) + [UNSEEN] * n_unknown, index=names)
    references = _draw_references(n_deposits + n_unknown, n_references, rng)
    laboratories = [f"Simulated study {i + 1:02d}" for i in range(n_references)]
    covariance = template.correlation * np.outer(between, between)
    within = np.array(template.within_sd)
    zero = np.zeros(len(elements))

    def effects(index: list[str], share: float) -> pd.DataFrame:
        draws = rng.multivariate_normal(zero, share * covariance, size=len(index))
        return pd.DataFrame(draws, index=index, columns=elements)

    deposit_effects = effects(names, 1 - reference_share)
    reference_effects = effects(laboratories, reference_share)
    scale = rng.lognormal(-0.03, 0.25, len(names))
    # No deposit is made of one trace element: levels near the whole are cut off.
    room = np.log(template.ceiling) - 3 * scale[:, None] * within - means.loc[types].to_numpy()
    room -= reference_effects.to_numpy()[references]
    return {
        "class_means": means,
        "deposit_effects": deposit_effects.clip(upper=room),
        "reference_effects": reference_effects,
        "between_covariance": _square((1 - reference_share) * covariance, elements),
        "within_covariance": _square(template.correlation * np.outer(within, within), elements),
        "within_scale": pd.Series(scale, index=names),
        "deposit_types": types,
        "deposit_references": pd.Series([laboratories[i] for i in references], index=names),
        "is_unseen": types == UNSEEN,
    }


def _draw_analyses(
    world: dict[str, pd.DataFrame | pd.Series], span: tuple[int, int], rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the logs of all analyses, and the columns that say where each comes from."""
    types, references = world["deposit_types"], world["deposit_references"]
    elements = world["class_means"].columns
    sizes = _draw_sizes(len(types), span, rng)
    at = np.repeat(np.arange(len(types)), sizes)
    centres = (
        world["class_means"].loc[types].to_numpy()
        + world["deposit_effects"].to_numpy()
        + world["reference_effects"].loc[references].to_numpy()
    )
    scatter = rng.multivariate_normal(
        np.zeros(len(elements)), world["within_covariance"].to_numpy(), size=len(at)
    )
    logs = centres[at] + world["within_scale"].to_numpy()[at, None] * scatter
    logs = np.where(logs > _WHOLE, 2 * _WHOLE - logs, logs)  # folded back: a very rare cell
    number = np.concatenate([np.arange(size) for size in sizes])
    names = types.index.to_numpy()[at]
    sites = pd.DataFrame(
        {
            "id": np.arange(1, len(at) + 1),
            "deposit": names,
            "type": types.to_numpy()[at],
            "reference": references.to_numpy()[at],
            # About eight spots a sample, as a polished section has.
            "sample": [f"{n[:3].upper()}-{i // 8 + 1}" for n, i in zip(names, number, strict=True)],
        }
    )
    return pd.DataFrame(logs, columns=elements), sites


def _draw_limits(
    template: MineralTemplate,
    references: pd.Index,
    factor: float,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Limits of each laboratory: its own quality, a little different for each element."""
    quality = rng.lognormal(0.0, 0.8, size=(len(references), 1))
    detail = rng.lognormal(0.0, 0.4, size=(len(references), len(template.elements)))
    limits = factor * np.array(template.limits) * quality * detail
    # Two digits, as laboratories state them.
    scale = 10.0 ** (np.floor(np.log10(np.maximum(limits, 1e-300))) - 1)
    rounded = np.round(limits / scale) * scale
    return pd.DataFrame(rounded, index=references, columns=list(template.elements))


def _draw_sizes(n: int, span: tuple[int, int], rng: np.random.Generator) -> NDArray[np.int64]:
    """Analyses of each deposit: even on a log scale, leaning to the few."""
    fewest, most = span
    return np.round(fewest * (most / fewest) ** rng.beta(1.2, 2.0, size=n)).astype(np.int64)


def _share_out(template: MineralTemplate, n_deposits: int) -> list[str]:
    """Class of each deposit, every class at least once, the rest by share (largest remainder)."""
    classes = list(template.class_shares)
    shares = np.array([template.class_shares[name] for name in classes], dtype=float)
    ideal = shares / shares.sum() * (n_deposits - len(classes))
    counts = np.floor(ideal).astype(int) + 1
    order = np.argsort(-(ideal % 1), kind="stable")
    counts[order[: n_deposits - counts.sum()]] += 1
    return [name for name, count in zip(classes, counts, strict=True) for _ in range(count)]


def _draw_references(n: int, n_references: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the reference of each deposit: runs of neighbours in the list, mostly short."""
    # Deposits stand class by class, so most runs lie in one class and a few bridge two.
    weights = rng.pareto(1.2, size=n_references) + 0.2
    extra = rng.multinomial(n - n_references, weights / weights.sum())
    return np.repeat(np.arange(n_references), extra + 1)


def _draw_names(n: int, rng: np.random.Generator) -> list[str]:
    """Made-up names of deposits, no two alike; up to 220 differ in more than their middle."""
    ends = [(first, last) for first in _FIRST for last in _LAST]
    rounds = []
    for i in range(-(-n // len(ends))):
        suffix = f" {i}" if i else ""
        middles = rng.choice(len(_MIDDLE), size=len(ends))
        order = rng.permutation(len(ends))
        rounds += [f"{ends[k][0]}{_MIDDLE[middles[k]]}{ends[k][1]}{suffix}" for k in order]
    return rounds[:n]


def _square(matrix: NDArray[np.float64], names: list[str]) -> pd.DataFrame:
    return pd.DataFrame(matrix, index=names, columns=names)

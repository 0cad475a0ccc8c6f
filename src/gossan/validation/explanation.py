"""Why: which features carry the skill, which carried this verdict, and which tell types apart.

Fitted models (or any `predict_proba`), tables and groups come in; importances, attributions and
discriminating elements, each per group and with intervals over groups, go out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from gossan._checks import check_labels, check_option, check_random_state, check_table
from gossan.validation._dominance import dominance, holm
from gossan.validation._groups import expanded_percentiles, group_draws
from gossan.validation.crossval import aligned_probabilities, group_weights
from gossan.validation.verdicts import group_units

_MOST_ROWS = 200_000  # rows per prediction: bounds the memory


def permutation_importance(
    models: Sequence[Any],
    X: Any,
    y: ArrayLike,
    *,
    groups: ArrayLike,
    folds: Sequence[tuple[ArrayLike, ArrayLike]],
    classes: ArrayLike | None = None,
    feature_sets: Mapping[str, Sequence[int | str]] | None = None,
    score: str = "log_loss",
    n_repeats: int = 5,
    coverage: float = 0.95,
    random_state: int | np.random.Generator | None = 0,
) -> pd.DataFrame:
    """Loss of held-out skill when a feature comes from another deposit.

    Each held-out group gets, for one feature, the values of a randomly drawn other group, so that
    the feature keeps its distribution but not its meaning; shuffling within a deposit would leave
    the meaning. Features that stand in for one another share importance: permute them as a set
    (`feature_sets`) [1]_.

    Parameters
    ----------
    models : sequence of length n_folds
        For each fold a fitted classifier, a callable X -> probabilities, or a sequence of these
        (seeds; their mean counts). `cross_validate(..., keep_estimators=True).estimators` fits.
    X : array or DataFrame of shape (n, n_features)
        The table.
    y, groups : arrays of shape (n,)
        Class and group of each row.
    folds : sequence of (train, test)
        Row numbers; the models are asked about their test rows only.
    classes : array of shape (n_classes,), optional
        Order of the probability columns; sorted unique `y` by default.
    feature_sets : mapping of name to columns, optional
        Columns (numbers or names) permuted together; each column alone by default.
    score : {"log_loss", "accuracy"}
        What gets worse: mean log-loss (no threshold, steadier) or share right.
    n_repeats : int
        Draws per feature.
    coverage : float
        Coverage of the interval.
    random_state : int, Generator or None
        Seed of the draws.

    Returns
    -------
    importance : DataFrame
        Index: feature; `importance` (mean worsening, groups weighing the same), `low`, `high`
        (cluster bootstrap over groups), `sd` (over repeats); the greatest first.

    Raises
    ------
    ValueError
        If there is not one model per fold, there are fewer than two groups, or lengths differ.

    References
    ----------
    .. [1] Fisher, A., Rudin, C. & Dominici, F. 2019, All models are wrong, but many are useful,
       J. Mach. Learn. Res. 20 (177), 1-81, arXiv:1801.01489.
    """
    check_option("score", score, ("log_loss", "accuracy"))
    names, table = _columns(X), check_table(X)
    truth = check_labels("y", y, len(table))
    labels = check_labels("groups", groups, len(table))
    if len(models) != len(folds):
        raise ValueError(
            f"{len(models)} models for {len(folds)} folds. Pass one model, or one list of models,"
            " per fold (cross_validate with keep_estimators=True)."
        )
    kinds = np.unique(truth) if classes is None else np.asarray(classes)
    sets = _feature_sets(feature_sets, names)
    rng = check_random_state(random_state)
    codes = np.unique(labels, return_inverse=True)[1]
    parts = [np.asarray(test, dtype=np.int64) for _, test in folds]
    donors = _donor_rows(codes, np.unique(np.concatenate(parts)), n_repeats, rng)
    n_groups = int(codes.max()) + 1
    worse = np.zeros((len(sets), n_repeats, n_groups))
    n_tested = np.zeros(n_groups)
    column_sets = list(sets.values())
    for model, test in zip(models, parts, strict=True):
        predict = _predictor(model, kinds, X)
        place = np.searchsorted(kinds, truth[test])
        plain = _losses(predict(table[test]), place, score)
        n_tested += np.bincount(codes[test], minlength=n_groups)
        changed = _permuted_losses(predict, table, test, (donors, column_sets, place, score))
        for s, r in np.ndindex(changed.shape[:2]):
            worse[s, r] += np.bincount(codes[test], changed[s, r] - plain, n_groups)
    tested = n_tested > 0
    per_group = worse[:, :, tested] / n_tested[tested]
    return _importance_table(list(sets), per_group, coverage, rng)


def group_attribution(
    predict_proba: Any,
    X: Any,
    groups: ArrayLike,
    *,
    reference: ArrayLike,
    classes: ArrayLike,
    labels: Mapping[Any, Any] | None = None,
    method: str = "shapley",
    n_draws: int = 32,
    random_state: int | np.random.Generator | None = 0,
) -> pd.DataFrame:
    """Share each deposit's verdict out to the features that made it, in probability points.

    Every feature of a deposit's analyses is set to a reference (the typical analysis of the
    training table) and back, and the change in the mean probability of the verdict is booked to
    it. "shapley" does so in random orders, so that the contributions sum exactly to the
    probability minus that of the reference [1]_. "replace" changes one feature at a time: quicker,
    and blind to features that say the same.

    Parameters
    ----------
    predict_proba : fitted classifier or callable
        A callable answers X -> (n, n_classes) in the order of `classes`.
    X : array or DataFrame of shape (n, n_features)
        Analyses.
    groups : array of shape (n,)
        Deposit of each analysis.
    reference : array of shape (n_features,)
        What a feature is set to, such as `balanced_median` of the training table.
    classes : array of shape (n_classes,)
        Names of the probability columns.
    labels : mapping of group to class, optional
        Class to explain for each group; its verdict (mean probability) by default.
    method : {"shapley", "replace"}
        See above.
    n_draws : int
        Orders drawn for "shapley"; each is also walked backwards, which halves the noise.
    random_state : int, Generator or None
        Seed of the orders.

    Returns
    -------
    attribution : DataFrame
        Index: group; `label`, `probability`, `reference_probability`, then one column a feature
        with its contribution [probability, −1 to 1].

    Raises
    ------
    ValueError
        If the reference does not fit the columns, or an option is unknown.
    """
    check_option("method", method, ("shapley", "replace"))
    names, table = _columns(X), check_table(X)
    base = np.asarray(reference, dtype=float)
    if base.shape != (table.shape[1],):
        raise ValueError(
            f"reference must have one value per feature ({table.shape[1]}), got shape {base.shape}."
            " Use balanced_median of the training table."
        )
    kinds = np.asarray(classes)
    predict = _predictor(predict_proba, kinds, X)
    at_reference = predict(base[None, :])[0]
    rng = check_random_state(random_state)
    orders = np.stack([rng.permutation(table.shape[1]) for _ in range(n_draws)])
    found = check_labels("groups", groups, len(table))
    rows = {}
    for group in np.unique(found):
        some = table[found == group]
        mean = predict(some).mean(axis=0)
        place = int(mean.argmax())
        if labels is not None:
            place = kinds.tolist().index(labels[group])
        target = _one_class(predict, place)
        if method == "shapley":
            parts = _shapley(target, some, base, np.concatenate([orders, orders[:, ::-1]]))
        else:
            parts = _replaced(target, some, base, float(mean[place]))
        head = (kinds[place], mean[place], at_reference[place])
        rows[group] = [*head, *parts]
    columns = ["label", "probability", "reference_probability", *names]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return frame.rename_axis("group")


def balanced_median(X: Any, y: ArrayLike, groups: ArrayLike) -> NDArray[np.float64]:
    """Median of each feature with classes, and their deposits, weighing the same.

    Parameters
    ----------
    X : array or DataFrame of shape (n, n_features)
        Training table; NaN is left out.
    y, groups : arrays of shape (n,)
        Class and deposit of each row.

    Returns
    -------
    median : float64 array of shape (n_features,)
        The typical analysis, of no type in particular.

    Examples
    --------
    >>> balanced_median([[1.0], [1.0], [1.0], [5.0], [9.0]], list("AAABB"), list("aaabc"))
    array([3.])
    """
    table = check_table(X)
    weights = group_weights(y, groups)
    result = np.empty(table.shape[1])
    for j, column in enumerate(table.T):
        order = np.argsort(column)[: int((~np.isnan(column)).sum())]
        gathered = np.cumsum(weights[order])
        half = 0.5 * gathered[-1]
        first = int(np.searchsorted(gathered, half * (1 - 1e-12)))
        # Exactly half the weight lies at or below `first`: the middle of the two, as for a plain
        # median of an even number.
        is_tie = np.isclose(gathered[first], half, rtol=1e-12) and first + 1 < len(order)
        result[j] = column[order[[first, first + 1 if is_tie else first]]].mean()
    return result


def discriminating_elements(
    X: Any,
    y: ArrayLike,
    *,
    groups: ArrayLike,
    names: Sequence[str] | None = None,
    n_resamples: int = 1000,
    coverage: float = 0.95,
    random_state: int | np.random.Generator | None = 0,
) -> pd.DataFrame:
    """Which elements are high or low in each type against the rest, deposit by deposit.

    Parameters
    ----------
    X : array or DataFrame of shape (n, n_features)
        Analyses; NaN is left out.
    y, groups : arrays of shape (n,)
        Class and deposit of each row; a deposit with two classes counts in both.
    names : sequence of str, optional
        Feature names; taken from a DataFrame.
    n_resamples : int
        Bootstrap draws, of the deposits of the class and of the rest.
    coverage : float
        Coverage of the interval.
    random_state : int, Generator or None
        Seed of the draws.

    Returns
    -------
    table : DataFrame
        One row per class and feature, clearest first within a class: `auc` (chance that a deposit
        of the class has the higher median), `delta` (Cliff's delta, 2 auc − 1 [1]_), `low`,
        `high` (interval of delta), `p_holm` (Mann-Whitney, adjusted over the whole table),
        `direction` ("high", "low" or "unclear": the interval holds 0), `median`, `rest_median`,
        `n_groups`.

    Raises
    ------
    ValueError
        If there is one class only, or lengths differ.

    References
    ----------
    .. [1] Cliff, N. 1993, Dominance statistics: ordinal analyses to answer ordinal questions,
       Psychol. Bull. 114, 494-509, doi:10.1037/0033-2909.114.3.494.
    """
    table = check_table(X)
    columns = _columns(X) if names is None else [str(name) for name in names]
    truth = check_labels("y", y, len(table))
    units = group_units(check_labels("groups", groups, len(table)), truth)
    medians = pd.DataFrame(table, columns=columns).groupby(units).median()
    first = np.unique(units, return_index=True)[1]
    kind_of = truth[first]
    kinds = np.unique(kind_of)
    if len(kinds) < 2:
        raise ValueError(f"y holds one class only ({kinds[0]}): nothing to tell apart. Add others.")
    rng = check_random_state(random_state)
    rows = [
        {"class": kind, "feature": name}
        | dominance(
            medians[name].to_numpy()[kind_of == kind],
            medians[name].to_numpy()[kind_of != kind],
            (n_resamples, coverage, rng),
        )
        for kind in kinds
        for name in columns
    ]
    frame = pd.DataFrame(rows)
    frame["p_holm"] = holm(frame.pop("p").to_numpy())
    order = frame["delta"].abs().sort_values(ascending=False, kind="stable").index
    return frame.loc[order].sort_values("class", kind="stable").set_index(["class", "feature"])


def _columns(X: Any) -> list[str]:
    if hasattr(X, "columns"):
        return [str(name) for name in X.columns]
    return [f"feature {j}" for j in range(np.shape(X)[1])]


def _feature_sets(
    feature_sets: Mapping[str, Sequence[int | str]] | None, names: list[str]
) -> dict[str, list[int]]:
    if feature_sets is None:
        return {name: [j] for j, name in enumerate(names)}
    sets: dict[str, list[int]] = {}
    for key, members in feature_sets.items():
        unknown = [m for m in members if isinstance(m, str) and m not in names]
        if unknown:
            raise ValueError(
                f"Set {key!r} names the unknown feature {unknown[0]!r}. The features are"
                f" {', '.join(names)}."
            )
        sets[key] = [names.index(m) if isinstance(m, str) else int(m) for m in members]
    return sets


def _predictor(model: Any, classes: NDArray, X: Any) -> Callable[[NDArray], NDArray]:
    """X -> (n, n_classes), the mean of several models, with the column names of `X` restored."""
    models = list(model) if isinstance(model, Sequence) else [model]
    columns = getattr(X, "columns", None)

    def predict(table: NDArray) -> NDArray:
        rows = table if columns is None else pd.DataFrame(table, columns=columns)
        return np.mean([aligned_probabilities(one, rows, classes) for one in models], axis=0)

    return predict


def _donor_rows(
    codes: NDArray, tested: NDArray, n_repeats: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """For each repeat and row a random tested row of another group: (n_repeats, n)."""
    kinds = np.unique(codes[tested])
    if len(kinds) < 2:
        raise ValueError(
            f"Values are exchanged between held-out groups, but {len(kinds)} is tested. Pass folds"
            " that test at least two groups."
        )
    rows_of = {kind: tested[codes[tested] == kind] for kind in kinds}
    donors = np.zeros((n_repeats, len(codes)), dtype=np.int64)
    for repeat in range(n_repeats):
        # A random cycle: no group ever gives to itself.
        cycle = rng.permutation(kinds)
        for group, giver in zip(cycle, np.roll(cycle, 1), strict=True):
            donors[repeat, rows_of[group]] = rng.choice(rows_of[giver], len(rows_of[group]))
    return donors


def _permuted_losses(
    predict: Callable[[NDArray], NDArray],
    table: NDArray,
    test: NDArray,
    plan: tuple[NDArray, list[list[int]], NDArray, str],
) -> NDArray[np.float64]:
    """Losses (n_sets, n_repeats, n_test) of the test rows; many sets share one prediction."""
    donors, column_sets, place, score = plan
    jobs = list(np.ndindex(len(column_sets), len(donors)))
    losses = np.empty((len(jobs), len(test)))
    per_call = max(1, _MOST_ROWS // len(test))
    for start in range(0, len(jobs), per_call):
        some = jobs[start : start + per_call]
        stack = np.repeat(table[test][None], len(some), axis=0)
        for i, (s, r) in enumerate(some):
            columns = column_sets[s]
            stack[i][:, columns] = table[donors[r, test]][:, columns]
        answer = predict(stack.reshape(-1, table.shape[1]))
        found = _losses(answer, np.tile(place, len(some)), score)
        losses[start : start + len(some)] = found.reshape(len(some), -1)
    return losses.reshape(len(column_sets), len(donors), len(test))


def _losses(probabilities: NDArray, place: NDArray, score: str) -> NDArray[np.float64]:
    if score == "accuracy":
        return (probabilities.argmax(axis=1) != place).astype(float)
    # Floored at 1 in 1000: one certain and wrong analysis shall not decide an importance.
    return -np.log(np.maximum(probabilities[np.arange(len(place)), place], 1e-3))


def _importance_table(
    names: list[str], per_group: NDArray, coverage: float, rng: np.random.Generator
) -> pd.DataFrame:
    n_groups = per_group.shape[2]
    mean = per_group.mean(axis=1)  # (n_sets, n_groups)
    draws = group_draws(n_groups, 2000, rng) @ mean.T / n_groups
    low, high = expanded_percentiles(draws, n_groups, coverage=coverage)
    spread = per_group.mean(axis=2).std(axis=1)
    frame = pd.DataFrame(
        {"importance": mean.mean(axis=1), "low": low, "high": high, "sd": spread},
        index=pd.Index(names, name="feature"),
    )
    return frame.sort_values("importance", ascending=False, kind="stable")


def _one_class(predict: Callable[[NDArray], NDArray], place: int) -> Callable[[NDArray], NDArray]:
    return lambda table: predict(table)[:, place]


def _shapley(
    target: Callable[[NDArray], NDArray], rows: NDArray, base: NDArray, orders: NDArray
) -> NDArray[np.float64]:
    """Mean contribution of each feature; they sum to target(rows) − target(base)."""
    n_features = rows.shape[1]
    parts = np.zeros(n_features)
    per_call = max(1, _MOST_ROWS // (len(rows) * (n_features + 1)))
    for start in range(0, len(orders), per_call):
        some = orders[start : start + per_call]
        # rank[o, j]: step at which order o switches feature j from the reference to the sample.
        rank = np.argsort(some, axis=1)
        is_on = rank[:, None, :] < np.arange(n_features + 1)[None, :, None]  # (orders, steps, p)
        stack = np.where(is_on[:, :, None, :], rows, base)  # (orders, steps, n, p)
        values = target(stack.reshape(-1, n_features)).reshape(len(some), n_features + 1, -1)
        gains = np.diff(values.mean(axis=2), axis=1)  # (orders, p) in the order of switching
        np.add.at(parts, some, gains)
    return parts / len(orders)


def _replaced(
    target: Callable[[NDArray], NDArray], rows: NDArray, base: NDArray, plain: float
) -> NDArray[np.float64]:
    n_features = rows.shape[1]
    stack = np.repeat(rows[None], n_features, axis=0)
    for j in range(n_features):
        stack[j][:, j] = base[j]
    return plain - target(stack.reshape(-1, n_features)).reshape(n_features, -1).mean(axis=1)

"""Calibrating prediction intervals on held-out scores: normalised conformal prediction."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from beauty_evaluate.errors import DataError
from beauty_evaluate.raters.interval import Curve, Floats, Interval, Measurements, share_of_others

LEVEL = 0.9
KNOTS = 8  # of the width over the range of scores
QUANTILES = (0.05, 0.35, 0.65, 0.95)  # of a measurement, where its factor has knots
SHRINKAGE = 10.0  # of the factors towards 1, as photos that say so
MIN_ERROR = 0.005  # rating points: labels are no finer, and the logarithm of 0 would count for too much
USUAL = 0.995  # share of held-out photos that are not unusual


def calibrate(
    predicted: Floats,
    true: Floats,
    measured: Measurements | None = None,
    weights: Floats | None = None,
    level: float = LEVEL,
    knots: int = KNOTS,
) -> Interval:
    """The interval from held-out scores and their labels.

    The width at a knot is the `level` quantile of the absolute errors of the photos scored nearest to it, smoothed with
    its neighbours; where `data_set_odds` are measured, once for either side. Each measurement then widens or narrows it
    by a factor: a ridge regression of the logarithm of the absolute error in units of that width (normalised conformal
    prediction: Papadopoulos et al., 2008; Lei et al., JASA 2018). All widths are stretched at last so that `level` of
    these photos lie inside, with conformal prediction's correction for a finite sample.

    Args:
        predicted: float64 (N,), N at least 10 for each knot.
        true: float64 (N,).
        measured: By name, float64 (N,) each, NaN where unknown; None for a width that hangs on the score alone.
        weights: float64 (N,), what each photo counts for; None: all alike.
        level: Share of photos whose label shall lie inside.
        knots: 1: one width for all.

    Raises:
        DataError: Fewer scores.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> predicted = rng.uniform(1, 5, 1000)
        >>> interval = calibrate(predicted, predicted + rng.uniform(-0.5, 0.5, 1000), knots=1)
        >>> round(interval.half_width[0], 1)
        0.5
    """
    if len(predicted) < 10 * knots:
        raise DataError(f"An interval needs at least {10 * knots} held-out scores; there are {len(predicted)}.")
    weights = np.ones(len(predicted)) if weights is None else weights
    errors = np.abs(true - predicted)
    usable = _usable(measured or {})
    scores = np.array([predicted[part].mean() for part in np.array_split(np.argsort(predicted), knots)])
    odds = usable.get("data_set_odds")
    sides = [weights] if odds is None else [weights * (1 - share_of_others(odds)), weights * share_of_others(odds)]
    widths = [_width_by_score(predicted, errors, side, scores, level) for side in sides]
    interval = _interval(level, scores, widths)
    factors = _factors(np.log(np.maximum(errors, MIN_ERROR) / interval.at(predicted, usable)), usable, weights)
    ratio = errors / replace(interval, factors=factors).at(predicted, usable)
    widths = [width * conformal_quantile(ratio, side, level) for width, side in zip(widths, sides, strict=True)]
    interval = replace(_interval(level, scores, widths), factors=factors)
    if "distance" not in usable:
        return interval
    most = round(weighted_quantile(usable["distance"], weights, USUAL), 3)
    wide = round(_of_strangers(predicted, true, weights, level), 4)
    return replace(interval, max_distance=most, unusual_half_width=wide)


def _interval(level: float, scores: Floats, widths: Sequence[Floats]) -> Interval:
    knots, first, *others = (tuple(np.round(values, 4).tolist()) for values in (scores, *widths))
    return Interval(level, knots, first, others[0] if others else ())


def weighted_quantile(values: Floats, weights: Floats, share: float) -> float:
    """The quantile of values that count unequally, linear between them; np.quantile where they count alike.

    Example:
        >>> weighted_quantile(np.array([3.0, 1.0, 2.0]), np.ones(3), 0.75)
        2.5
    """
    order = np.argsort(values)
    counted = weights[order]
    middle = np.cumsum(counted) - counted[0]
    middle = middle - (counted - counted[0]) / 2  # where equal weights lie, for unequal ones
    return float(np.interp(share * max(middle[-1], 1e-300), middle, values[order]))


def conformal_quantile(ratio: Floats, weights: Floats, level: float) -> float:
    """The weighted quantile with the correction for a finite sample."""
    n = weights.sum() ** 2 / (weights**2).sum()  # as many photos of equal weight say as much
    return weighted_quantile(ratio, weights, min(1.0, float(np.ceil((n + 1) * level) / n)))


def _usable(measured: Measurements) -> dict[str, Floats]:
    """What is usable of every second photo at least, and varies."""
    return {
        name: values
        for name, values in measured.items()
        if np.isfinite(values).mean() > 0.5 and np.nanmax(values) > np.nanmin(values)
    }


def _width_by_score(predicted: Floats, errors: Floats, weights: Floats, scores: Floats, level: float) -> Floats:
    """The width at each knot, (K,)."""
    parts = np.array_split(np.argsort(predicted), len(scores))
    width = np.array([weighted_quantile(errors[part], weights[part], level) for part in parts])
    padded = np.pad(width, 1, mode="edge")
    return np.asarray((padded[:-2] + 2 * width + padded[2:]) / 4)


def _factors(target: Floats, usable: Mapping[str, Floats], weights: Floats) -> dict[str, Curve]:
    """The factor of each measurement, from log errors beside the width by score."""
    if not usable:
        return {}
    knots = {name: np.unique(np.nanquantile(values, QUANTILES)) for name, values in usable.items()}
    columns = [np.ones((len(target), 1))]
    for name, values in usable.items():
        hats = np.column_stack([np.interp(values, knots[name], unit) for unit in np.eye(len(knots[name]))])
        columns.append(np.where(np.isnan(hats), np.nanmean(hats, axis=0), hats))
    design = np.concatenate(columns, axis=1)
    penalty = np.diag([1e-9, *np.full(design.shape[1] - 1, SHRINKAGE * weights.mean())])
    slopes = np.linalg.solve(design.T @ (design * weights[:, None]) + penalty, design.T @ (weights * target))[1:]
    factors, start = {}, 0
    for name, at in knots.items():
        logs, start = slopes[start : start + len(at)], start + len(at)
        usual = np.interp(np.nanmedian(usable[name]), at, logs)
        factors[name] = Curve(tuple(np.round(at, 4).tolist()), tuple(np.round(np.exp(logs - usual), 4).tolist()))
    return factors


def _of_strangers(predicted: Floats, true: Floats, weights: Floats, level: float) -> float:
    """How far the score of one photo lies from the label of another, at that level."""
    rng, share = np.random.default_rng(0), weights / weights.sum()
    first, second = (rng.choice(len(true), 4000, p=share) for _ in range(2))
    return float(np.quantile(np.abs(predicted[first] - true[second]), level))

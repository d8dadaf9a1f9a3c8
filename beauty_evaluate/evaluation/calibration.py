"""The interval of a network from photos that others of its recipe, or itself, held back; and what it covers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate import metrics
from beauty_evaluate.config import RatingScale
from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.errors import DataError
from beauty_evaluate.evaluation.evaluate import Floats, assert_no_leakage
from beauty_evaluate.evaluation.interval import calibrate
from beauty_evaluate.evaluation.predictions import HeldOut, read_held_out
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.card import Card, photo_hash
from beauty_evaluate.raters.interval import Interval

PARTS = 5  # of photos, each checked with an interval from the others


@dataclass(frozen=True)
class Photos:
    """Held-out photos beside their labels, N of them.

    Attributes:
        data: The data set of each photo, (N,).
        names: (N,).
        predicted, true: float64 (N,), on the scale of the network that held a photo back.
        measured: As `Ratings.measured`, NaN where unknown.
        part: int (N,), from 0: photos of one part are checked together.
        scale: Of the network.
        networks: Names of those that held the photos back.
    """

    data: tuple[DataSet, ...]
    names: tuple[str, ...]
    predicted: Floats
    true: Floats
    measured: dict[str, Floats]
    part: NDArray[np.int64]
    scale: RatingScale
    networks: tuple[str, ...]

    def interval(self, chosen: NDArray[np.bool_] | None = None) -> Interval:
        """Calibrated on these photos, or some of them; every data set counts alike. Raises DataError for too few."""
        chosen = np.ones(len(self.names), bool) if chosen is None else chosen
        titles = np.array([one.title for one in self.data])[chosen]
        counts = {str(title): int((titles == title).sum()) for title in set(titles.tolist())}
        weights = np.array([len(titles) / len(counts) / counts[title] for title in titles.tolist()])
        measured = {key: values[chosen] for key, values in self.measured.items()}
        fitted = calibrate(self.predicted[chosen], self.true[chosen], measured, weights)
        return replace(fitted, held_out_by=self.networks)

    def half_width(self, interval: Interval) -> Floats:
        """What an interval gives each photo, float64 (N,)."""
        return interval.at(np.clip(self.predicted, self.scale.low, self.scale.high), self.measured)


@dataclass(frozen=True)
class Coverage:
    """How an interval does on some photos.

    Attributes:
        data_set: Its title.
        group: Of the photos; empty: all of the data set.
        n: How many.
        share: Of labels inside.
        half_width: The mean, rating points of the network.
        spearman: Rank correlation of half width and absolute error.
    """

    data_set: str
    group: str
    n: int
    share: float
    half_width: float
    spearman: float

    @property
    def uncertainty(self) -> tuple[float, float]:
        """The 95 % interval of `share`, by Wilson."""
        return metrics.wilson(self.share, self.n)


def held_out(card: Card, folder: Path, data: Sequence[DataSet]) -> Photos:
    """The photos from which the interval of a network may be calibrated.

    Args:
        card: Of the network.
        folder: Cards of the same recipe, the network's own or others, with tables of held-out photos beside them.
        data: The data sets of these photos.

    Raises:
        DataError: There are none, a network has learnt from what it holds back, or another network than the card's has
            seen photos that are not in its training part: the interval would know of its test photos. That from its own
            table does, and says so (`Interval.held_out_by`): of these photos, `cross_fitted` tells what it covers.
    """
    paths = sorted(path for path in folder.glob("*.json"))
    cards = [registry.load_card(str(path)) for path in paths]
    tables = [read_held_out(one) for one in cards if one.config == card.config]
    if not tables:
        raise DataError(f"There are no networks of the recipe of {card.name} in {folder}. Name others by --folds.")
    for table in tables:
        _check(card, table, data)
    return _joined(tables, data)


def _check(card: Card, table: HeldOut, data: Sequence[DataSet]) -> None:
    """Raise DataError where the interval would know of test photos."""
    sets = {one.title: one for one in data}
    if missing := sorted(set(table.data_sets) - set(sets)):
        raise DataError(f"{table.card.name} holds back photos of {', '.join(missing)}. Name this data set with --data.")
    for title, one in sets.items():
        names = [name for name, whose in zip(table.names, table.data_sets, strict=True) if whose == title]
        if unknown := sorted(set(names) - set(one.samples)):
            raise DataError(f"{unknown[0]} is not among the photos of {title}. Name the data set it was made from.")
        assert_no_leakage(table.card, one, names)
    if table.card.name == card.name and table.card.trained_on == card.trained_on:
        return
    allowed = {
        photo_hash(part.data_set, name)
        for part in card.trained_on
        if part.data_set in sets
        for name in sets[part.data_set].split(part.split).train
    }
    used = {photo for part in table.card.trained_on for photo in part.photos}
    used |= {photo_hash(title, name) for title, name in zip(table.data_sets, table.names, strict=True)}
    if strange := len(used - allowed):
        raise DataError(
            f"{table.card.name} has seen {strange} photos that are not in the training part of {card.name}, whose "
            "interval would know of its test photos. Use a network that holds back some of that part."
        )


def _joined(tables: Sequence[HeldOut], data: Sequence[DataSet]) -> Photos:
    sets = {one.title: one for one in data}
    columns = sorted({key for table in tables for key in table.measured})
    true, parts = [], []
    for number, table in enumerate(tables):
        # the first part of a data set is the rater's own; others are those of raters that it is made of
        maps = {part.data_set: part.map for part in reversed(table.card.trained_on)}
        pairs = list(zip(table.data_sets, table.names, strict=True))
        true += [maps[title].apply(sets[title].samples[name].score) for title, name in pairs]
        one = [int(photo_hash(title, name), 16) % PARTS for title, name in pairs]
        parts += one if len(tables) == 1 else [number] * len(pairs)
    measured = {
        key: np.concatenate([table.measured.get(key, np.full(len(table.names), np.nan)) for table in tables])
        for key in columns
    }
    return Photos(
        tuple(sets[title] for table in tables for title in table.data_sets),
        tuple(name for table in tables for name in table.names),
        np.concatenate([table.predicted for table in tables]), np.array(true), measured, np.array(parts),
        tables[0].card.scale, tuple(table.card.name for table in tables),
    )  # fmt: skip


def cross_fitted(photos: Photos) -> Floats:
    """The half width of each photo by an interval from the photos of all other parts, float64 (N,). DataError for too
    few photos."""
    half_width = np.empty(len(photos.names))
    for part in sorted(set(photos.part.tolist())):
        inside = photos.part == part
        half_width[inside] = photos.half_width(photos.interval(~inside))[inside]
    return half_width


def coverage(photos: Photos, half_width: Floats) -> list[Coverage]:
    """What intervals cover of each data set, of each of its groups, and of each combination of groups."""
    errors = np.abs(photos.true - photos.predicted)
    rows = []
    for (title, group), indices in _groups(photos):
        chosen = np.array(indices)
        wide, far = half_width[chosen], errors[chosen]
        rank = metrics.spearman(wide, far)
        rows.append(Coverage(title, group, len(indices), float((far <= wide).mean()), float(wide.mean()), rank))
    return rows


def _groups(photos: Photos) -> Iterator[tuple[tuple[str, str], list[int]]]:
    """Indices of photos by data set and group, in the order of a table."""
    by_group: dict[tuple[str, str], list[int]] = {}
    for i, (data, name) in enumerate(zip(photos.data, photos.names, strict=True)):
        values = [value for column in data.group_columns if (value := data.samples[name].groups.get(column, ""))]
        groups = ["", *(data.group_title(value) for value in values)]
        groups += [", ".join(data.group_title(value) for value in values)] if len(values) > 1 else []
        for group in groups:
            by_group.setdefault((data.title, group), []).append(i)
    titles = list(dict.fromkeys(title for title, _ in by_group))
    order = sorted(by_group, key=lambda key: (titles.index(key[0]), key[1].count(","), key[1]))
    return ((key, by_group[key]) for key in order)

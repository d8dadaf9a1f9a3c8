"""One row of a bench: a rater on the test photos of a data set, run twice, with what it costs."""

import csv
import hashlib
import io
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from beauty_evaluate import __version__
from beauty_evaluate.config import RatingScale
from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.errors import DataError, UserError
from beauty_evaluate.evaluation.bench_records import Row, out_of_ten
from beauty_evaluate.evaluation.crop_against_whole import crop_against_whole
from beauty_evaluate.evaluation.evaluate import Evaluation, Progress, assert_no_leakage, evaluate
from beauty_evaluate.evaluation.predictions import read_predictions
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.files import write_atomic
from beauty_evaluate.metrics import bootstrap_pearson
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.card_files import fingerprint, megabytes
from beauty_evaluate.raters.rater import Rater, Ratings
from beauty_evaluate.settings import from_json, to_json

MAX_MOVE = 1e-4  # rating points by which float32 sums in another order may differ; a leak moves scores by far more
SEED = 0  # of the shuffled labels


class PredictionsMoved(DataError):
    """Predictions that differ once test labels are shuffled: the rater sees them, or does not repeat itself."""


@dataclass(frozen=True)
class Place:
    """Where a row and its predictions are kept.

    Attributes:
        folder: Of the bench.
        name: Of both files.
    """

    folder: Path
    name: str

    @classmethod
    def of(cls, folder: Path, rater: str, data: DataSet, split: str) -> "Place":
        """The place of a rater's row on a split of a data set, by their names."""
        return cls(folder, re.sub(r"[^\w.-]+", "_", f"{rater}_on_{data.title}_{split}"))

    @property
    def row(self) -> Path:
        """The JSON file."""
        return self.folder / "rows" / f"{self.name}.json"

    @property
    def predictions(self) -> Path:
        """The CSV file: `file`, `score` on the data set's scale or else the rater's, and `out_of_10`."""
        return self.folder / "predictions" / f"{self.name}.csv"


def photos_key(data: DataSet, names: Sequence[str]) -> str:
    """What tells test photos, their labels and this version apart from others: 16 hexadecimal digits.

    Example:
        >>> from beauty_evaluate.datasets import synthetic
        >>> data = synthetic.draw(4)
        >>> photos_key(data, sorted(data.samples)) == photos_key(shuffled(data, sorted(data.samples)), data.samples)
        False
    """
    labels = [(name, data.samples[name].score) for name in names]
    text = json.dumps([__version__, data.title, str(data.scale), labels])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def shuffled(data: DataSet, names: Sequence[str]) -> DataSet:
    """The data set with the labels of some photos given to each other, by lot.

    Args:
        data: The data set.
        names: The photos.

    Example:
        >>> from beauty_evaluate.datasets import synthetic
        >>> data = synthetic.draw(5)
        >>> other = shuffled(data, sorted(data.samples))
        >>> both = [[one.samples[name].score for name in data.samples] for one in (data, other)]
        >>> sorted(both[0]) == sorted(both[1]), both[0] == both[1]
        (True, False)
    """
    order = np.random.default_rng(SEED).permutation(len(names))
    others = {name: data.samples[names[i]].score for name, i in zip(names, order, strict=True)}
    samples = {name: replace(data.samples[name], score=score) for name, score in others.items()}
    return replace(data, samples={**data.samples, **samples})


def kept(place: Place, card: Card, photos: str) -> Row | None:
    """The row of an earlier run, if it is of this rater and these photos, and its predictions are there."""
    try:
        row = from_json(json.loads(place.row.read_text(encoding="utf-8")), Row)
        is_whole = len(read_predictions(place.predictions)) == row.metrics["all"]["n"]
    except (OSError, ValueError, UserError):
        return None
    return row if is_whole and (row.fingerprint, row.photos) == (fingerprint(card), photos) else None


def keep(place: Place, row: Row, evaluation: Evaluation, scale: RatingScale) -> None:
    """Write the predictions and, last, the row: what was killed on the way has left no row.

    Args:
        place: Where to.
        row: The figures.
        evaluation: The predictions.
        scale: That these are on.
    """
    for path in (place.row, place.predictions):
        path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("file", "score", "out_of_10"))
    for name, score in zip(evaluation.names, evaluation.predicted, strict=True):
        writer.writerow((name, f"{score:.6f}", f"{out_of_ten(score, scale):.4f}"))
    write_atomic(place.predictions, text.getvalue().encode())
    write_atomic(place.row, (json.dumps(to_json(row), indent=1) + "\n").encode())


class Timed:
    """A rater that counts the seconds that its ratings take."""

    def __init__(self, rater: Rater) -> None:
        self.rater, self.seconds = rater, 0.0
        self.name, self.card, self.scale, self.needs = rater.name, rater.card, rater.scale, rater.needs

    def rate(self, faces: Sequence[Face]) -> Ratings:
        """As the rater does."""
        start = time.perf_counter()
        ratings = self.rater.rate(faces)
        self.seconds += time.perf_counter() - start
        return ratings


def measure(
    card: Card, data: DataSet, names: Sequence[str], photos: str, progress: Progress | None = None
) -> tuple[Row, Evaluation]:
    """Run a rater twice on photos that it has not learnt from: with their labels, and with shuffled ones.

    Args:
        card: Of the rater.
        data: The data set.
        names: The test photos.
        photos: Their `photos_key`.
        progress: Called with the photos done and all, in each run anew.

    Raises:
        PredictionsMoved: The two runs differ.
        UserError: The rater has learnt from one of the photos, or cannot be run here.
    """
    rater = registry.of_card(card, "onnxruntime")
    cards = [card, *(member.card for member in members(rater))]
    for one in cards:
        assert_no_leakage(one, data, names)
    first, *cost = _run(rater, data, names, progress)
    second, *again = _run(registry.of_card(card, "onnxruntime"), shuffled(data, names), names, progress)
    move = float(np.abs(first.predicted - second.predicted).max())
    if move > MAX_MOVE or first.missed != second.missed:
        raise PredictionsMoved(
            f"The predictions of {card.name} on {data.title} moved by up to {move:.2g} points when test labels were "
            "shuffled. Find out how it sees them, or what else makes it answer differently."
        )
    ms_rating, ms_photo = (1000 * min(pair) / len(names) for pair in zip(cost, again, strict=True))
    low, high = bootstrap_pearson(first.predicted, first.true)
    within = {column: value for column in data.group_columns if (value := first.within(column)) == value}
    row = Row(
        card.name, card.config.family, fingerprint(card), photos, first.on_scale, first.metrics(),
        (low, high) if low == low else (), within, len(first.missed), ms_rating, ms_photo, megabytes(card),
        sum(one.seconds for one in cards) / 60, card.parameters, pretrained_on(card), card.command,
        tuple(one.name for one in cards[1:]), crop_against_whole(rater, first),
    )  # fmt: skip
    return row, first


def _run(
    rater: Rater, data: DataSet, names: Sequence[str], progress: Progress | None
) -> tuple[Evaluation, float, float]:
    """The evaluation, the seconds that the rater took, and those that all of it took."""
    timed, start = Timed(rater), time.perf_counter()
    evaluation = evaluate(timed, data, names, progress)
    return evaluation, timed.seconds, time.perf_counter() - start


def members(rater: Rater) -> tuple[Rater, ...]:
    """The raters that a rater is made of; none for most."""
    return tuple(getattr(rater, "members", ()))


def pretrained_on(card: Card) -> str:
    """What the rater had learnt from before, in words: as its config says, or the weights that it began with."""
    return str(getattr(card.config, "pretrained_on", "") or card.started_from or "nothing")

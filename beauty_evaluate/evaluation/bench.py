"""The bench: every rater on the same test photos, each run twice, with what it costs. Resumable, row by row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from beauty_evaluate.config import ScaleMap
from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.datasets.splits import Split
from beauty_evaluate.errors import ConfigError, UserError
from beauty_evaluate.evaluation.bench_records import FILE, Bench, NotRun, Pair, Part, Row, write_bench
from beauty_evaluate.evaluation.bench_row import Place, PredictionsMoved, keep, kept, measure, members, photos_key
from beauty_evaluate.evaluation.evaluate import Evaluation, Progress
from beauty_evaluate.evaluation.human_rater import one_human_rater
from beauty_evaluate.evaluation.looks import log_look
from beauty_evaluate.evaluation.predictions import read_predictions
from beauty_evaluate.metrics import Estimate, bootstrap, pearson
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.card import Card, TrainedOn, photo_hash
from beauty_evaluate.raters.card_files import fingerprint
from beauty_evaluate.raters.mean_baseline import MeanBaselineConfig

CONSTANT = "mean_baseline"  # made for each data set from its training part: no card is needed

Say = Callable[[str], None]


@dataclass(frozen=True)
class BenchJob:
    """What to compare.

    Attributes:
        raters: Names in `weights/` or paths of cards. The constant is always a row.
        data: The data sets.
        splits: Of each data set, None: its own; empty: None for all. Its test part is used; all photos of a split
            without one.
        out: Folder of the bench. Rows in it that are of these raters and photos are not run again.
        pairs: Raters, by the names of their cards, that are set against each other on the same photos.
        command: The line that started it, for the record.
        commit: That the code stands at, for the log of looks.
    """

    raters: tuple[str, ...]
    data: tuple[DataSet, ...]
    out: Path
    splits: tuple[str | None, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    command: str = ""
    commit: str = ""


def _silent(line: str) -> None:
    """Say nothing."""


def bench(job: BenchJob, say: Say = _silent, progress: Progress | None = None) -> Bench:
    """Run each rater on each data set, and set them beside each other.

    A rater that has learnt from a test photo is refused, one that cannot be run here is named with the reason, one
    whose predictions move with the labels has no row and stands in `Bench.moved`; the others go on. Under `job.out`
    each row is written whole or not at all, with its predictions; `looks.jsonl` has a line for each look at a test
    part; the records go into `bench.json`.

    Args:
        job: What to compare.
        say: Called with lines for a person.
        progress: Called with the photos of a row done and all.

    Raises:
        UserError: A split that does not exist, two raters of one name, or a pair of raters that are not there.

    Example:
        >>> import tempfile
        >>> from beauty_evaluate.datasets import synthetic
        >>> job = BenchJob(("no_such_weights",), (synthetic.draw(20),), Path(tempfile.mkdtemp()))
        >>> (part,) = bench(job).parts
        >>> [row.rater for row in part.rows], [one.rater for one in part.not_run]
        (['mean_baseline'], ['no_such_weights'])
    """
    splits = job.splits or (None,) * len(job.data)
    if len(splits) != len(job.data):
        raise ConfigError(f"{len(job.data)} data sets with {len(splits)} splits. Name one split for each, or none.")
    chosen = [data.split(name) for data, name in zip(job.data, splits, strict=True)]
    cards = _cards(job)
    job.out.mkdir(parents=True, exist_ok=True)
    parts = [_part(job, cards, data, split, say, progress) for data, split in zip(job.data, chosen, strict=True)]
    result = Bench(tuple(parts), job.command, job.commit)
    write_bench(job.out / FILE, result)
    return result


def _cards(job: BenchJob) -> dict[str, Card | NotRun]:
    """The card of each rater but the constant, or why there is none, by name; members of an ensemble come along."""
    cards: dict[str, Card | NotRun] = {}
    for name in dict.fromkeys(job.raters):
        for card in [] if name == CONSTANT else _with_members(name):
            key = card.name if isinstance(card, Card) else card.rater
            there = cards.setdefault(key, card)
            is_same = isinstance(card, Card) and isinstance(there, Card) and fingerprint(card) == fingerprint(there)
            if key == CONSTANT or (there is not card and not is_same):
                raise ConfigError(f"Two raters are called {key}: their rows could not be told apart. Rename a card.")
    if unknown := {name for pair in job.pairs for name in pair} - {CONSTANT, *cards}:
        raise ConfigError(f"--pair names {', '.join(sorted(unknown))}, which --raters does not. Name it there too.")
    return cards


def _with_members(name: str) -> list[Card | NotRun]:
    """The card of a rater and those of its members, if it has any."""
    try:
        card = registry.load_card(name)
        of_others = getattr(card.config, "members", ())
        loaded = members(registry.of_card(card, "onnxruntime")) if of_others else ()
        return [card, *(member.card for member in loaded)]
    except UserError as error:
        return [NotRun(Path(name).stem if name.endswith(".json") else name, str(error))]


def _part(
    job: BenchJob, cards: dict[str, Card | NotRun], data: DataSet, split: Split, say: Say, progress: Progress | None
) -> Part:
    """The bench on one data set."""
    names, rows, not_run = split.test or split.train, list[Row](), list[NotRun]()
    for card in (_constant(data, split), *cards.values()):
        if isinstance(card, NotRun):
            not_run.append(card)
        else:
            row = _row(job, card, data, split, progress)
            (rows if isinstance(row, Row) else not_run).append(row)  # type: ignore[arg-type]
            say(_line(data, row))
    human, titles = one_human_rater(data, names), _group_titles(data, names)
    part = Part(data.title, split.name, len(names), data.scale, titles, human, tuple(rows), tuple(not_run))
    return replace(part, pairs=tuple(_pairs(job, part, data, names)))


def _group_titles(data: DataSet, names: Sequence[str]) -> dict[str, str]:
    """The titles of the groups among some photos, by their names in `Evaluation.metrics`."""
    groups = list(Evaluation(data, tuple(names), np.zeros(len(names)), 0.0).rows())[1:]
    parts = {name: name.rpartition(": ") for name in groups}
    return {name: column + colon + data.group_title(value) for name, (column, colon, value) in parts.items()}


def _line(data: DataSet, row: Row | NotRun) -> str:
    if isinstance(row, NotRun):
        return f"{row.rater} on {data.title}: no row. {row.reason}"
    pc = "no PC, its scores do not vary" if row.pearson is None else f"PC {row.pearson:.4f}"
    return f"{row.rater} on {data.title}: {pc}; {row.ms_rating:.1f} ms a photo"


def _row(job: BenchJob, card: Card, data: DataSet, split: Split, progress: Progress | None) -> Row | NotRun:
    """The row of one rater: as it was kept, or measured now; or why there is none."""
    names = split.test or split.train
    place, photos = Place.of(job.out, card.name, data, split.name), photos_key(data, names)
    row = kept(place, card, photos)
    if row is not None:
        return row
    try:
        row, evaluation = measure(card, data, names, photos, progress)
    except UserError as error:
        return NotRun(card.name, str(error), isinstance(error, PredictionsMoved))
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("beauty_evaluate"):
            raise
        return NotRun(card.name, f"The package {error.name} is missing. Install it.")
    log_look(job.out, data.title, f"{split.name} test", len(names), job.commit, rater=card.name)
    keep(place, row, evaluation, data.scale if row.on_scale else card.scale)
    return row


def _constant(data: DataSet, split: Split) -> Card:
    """The mean of the training scores for everyone; of a split without a test part or without a training part, the
    middle of the scale, which nothing was learnt for."""
    names = split.train if split.test else ()
    middle = (data.scale.low + data.scale.high) / 2
    if not names:
        return Card(CONSTANT, MeanBaselineConfig(mean=middle), data.scale)
    scores = np.array([data.samples[name].score for name in names])
    labels = {"n": len(scores), "mean": scores.mean(), "sd": scores.std(), "min": scores.min(), "max": scores.max()}
    learnt = TrainedOn(
        data.title, split.name, data.scale, ScaleMap(), {key: float(value) for key, value in labels.items()},
        tuple(sorted(photo_hash(data.title, name) for name in names)), data.people,
    )  # fmt: skip
    return Card(CONSTANT, MeanBaselineConfig(mean=float(scores.mean())), data.scale, (learnt,))


def _pairs(job: BenchJob, part: Part, data: DataSet, names: Sequence[str]) -> list[Pair]:
    """Each ensemble against its best member that is a row, and the raters that were named."""
    rows = {row.rater: row for row in part.rows if row.pearson is not None}
    wanted = [(pair, False) for pair in job.pairs]
    for row in rows.values():
        there = [name for name in row.members if name in rows]
        if there:
            wanted.append(((row.rater, max(there, key=lambda name: rows[name].pearson or -1)), True))
    pairs = []
    for (first, second), is_member in wanted:
        if first in rows and second in rows:
            predicted = [_predictions(job.out, name, data, part.split, names) for name in (first, second)]
            pairs.append(Pair(first, second, _difference(predicted, data, names), is_member))
    return pairs


def _predictions(out: Path, rater: str, data: DataSet, split: str, names: Sequence[str]) -> np.ndarray:
    """The predictions of a row, float64 (N,)."""
    scores = read_predictions(Place.of(out, rater, data, split).predictions)
    return np.array([scores[name] for name in names])


def _difference(predicted: Sequence[np.ndarray], data: DataSet, names: Sequence[str]) -> Estimate:
    """The PC of the first minus that of the second, with its interval over photos."""
    true = np.array([data.samples[name].score for name in names])

    def difference(pick: np.ndarray) -> float:
        first, second = (pearson(scores[pick], true[pick]) for scores in predicted)
        return first - second

    low, high = bootstrap(difference, len(names))
    return Estimate(difference(np.arange(len(names))), float(low), float(high))

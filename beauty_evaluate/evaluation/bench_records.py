"""What a bench leaves: a row for each rater and data set, and how they compare. JSON, from which pages are written."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from beauty_evaluate.config import RatingScale
from beauty_evaluate.errors import DataError
from beauty_evaluate.evaluation.evaluate import Figures
from beauty_evaluate.files import write_atomic
from beauty_evaluate.metrics import Estimate
from beauty_evaluate.settings import from_json

FILE = "bench.json"


def out_of_ten(score: float, scale: RatingScale) -> float:
    """A score on a scale from 1 to 10, ends on ends; a data set that is rated 1..10 stays as it is.

    Args:
        score: On `scale`.
        scale: Whose ends become 1 and 10.

    Example:
        >>> out_of_ten(3, RatingScale(1, 5)), out_of_ten(7.5, RatingScale(1, 10))
        (5.5, 7.5)
    """
    return 1 + (score - scale.low) * points_of_ten(scale)


def points_of_ten(scale: RatingScale) -> float:
    """What one point of a scale is on the scale from 1 to 10.

    Example:
        >>> points_of_ten(RatingScale(1, 5))
        2.25
    """
    return 9 / (scale.high - scale.low)


@dataclass(frozen=True)
class CropAgainstWhole:
    """How scores change when a rater sees the face cut out in place of the whole photo, squeezed to the same size.

    Attributes:
        n: Photos that gave both scores; 0 where nothing was compared.
        mean: Score of the crop minus score of the whole photo, mean, in points of the rater's scale.
        largest: The one that is furthest from 0, with its sign.
        up: Share of the photos whose crop scores higher.
        down: Share whose crop scores lower.
        no_face: Photos without a face that was found, which have a score as a whole alone.
        reason: Why nothing was compared.
    """

    n: int = 0
    mean: float = 0.0
    largest: float = 0.0
    up: float = 0.0
    down: float = 0.0
    no_face: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Row:
    """What one rater reaches on the test photos of one data set, and what it costs.

    Attributes:
        rater: Its name.
        family: Of raters.
        fingerprint: Of its card, see `raters.card_files`.
        photos: Hash of the test photos and their labels: a row of other photos is no row of this bench.
        on_scale: Whether it has learnt the data set's scale; if not, errors in points mean nothing.
        metrics: As `Evaluation.metrics`.
        interval: 95 % bootstrap interval of the PC; nothing where there is no PC.
        within: PC within the groups of each column.
        missed: Photos without a score, which count with the training mean.
        ms_rating: Milliseconds a photo for the rater alone: the face is found already. The faster of the two runs.
        ms_photo: The same with decoding and the search for faces, on all cores.
        megabytes: On disk, of all that scoring reads.
        minutes: Of training, of its members too; 0 where the card does not know.
        parameters: Numbers that were learnt.
        pretrained_on: What it had learnt from before.
        command: That made it.
        members: Names of the raters that it is made of.
        whole: Crop against whole photo.
    """

    rater: str
    family: str
    fingerprint: str
    photos: str
    on_scale: bool
    metrics: dict[str, Figures]
    interval: tuple[float, ...] = ()
    within: dict[str, float] = field(default_factory=dict)
    missed: int = 0
    ms_rating: float = 0.0
    ms_photo: float = 0.0
    megabytes: float = 0.0
    minutes: float = 0.0
    parameters: int = 0
    pretrained_on: str = "nothing"
    command: str = ""
    members: tuple[str, ...] = ()
    whole: CropAgainstWhole = CropAgainstWhole()

    @property
    def pearson(self) -> float | None:
        """PC on all photos; None where the scores do not vary."""
        return self.metrics["all"]["pearson"]


@dataclass(frozen=True)
class NotRun:
    """A rater without a row, and why. moved: whether its predictions moved when test labels were shuffled."""

    rater: str
    reason: str
    moved: bool = False


@dataclass(frozen=True)
class Human:
    """One human rater, the mean over all: PC with the mean of the others.

    Attributes:
        pearson: On the test photos where their single ratings are there, else as the data set says.
        interval: 95 % bootstrap interval over photos; nothing where it is not known.
        mae: Against the mean of the others, in points; None where it is not known. So is `rmse`.
        rmse: Likewise.
        source: Whose ratings.
    """

    pearson: float
    interval: tuple[float, ...] = ()
    mae: float | None = None
    rmse: float | None = None
    source: str = ""


@dataclass(frozen=True)
class Pair:
    """Two raters on the same photos.

    Attributes:
        first: Name of the one.
        second: Name of the other.
        difference: PC of the first minus PC of the second, with its interval over photos, paired.
        best_member: Whether the second is the best member of the first, an ensemble.
    """

    first: str
    second: str
    difference: Estimate
    best_member: bool = False

    @property
    def verdict(self) -> str:
        """Who is better, in words: none of the two where the interval holds 0.

        Example:
            >>> Pair("a", "b", Estimate(0.01, -0.01, 0.03)).verdict
            'no difference can be told'
        """
        if self.difference.low > 0:
            return f"{self.first} is better"
        return f"{self.second} is better" if self.difference.high < 0 else "no difference can be told"


@dataclass(frozen=True)
class Part:
    """The bench on one data set.

    Attributes:
        data_set: Its title.
        split: Whose test photos.
        n: How many photos.
        scale: Of the data set.
        groups: Its values of groups, with their titles, in the order of the tables.
        human: One human rater; None where nothing is known.
        rows: Raters that were run.
        not_run: Those that were not.
        pairs: Raters that were set against each other.
    """

    data_set: str
    split: str
    n: int
    scale: RatingScale
    groups: dict[str, str] = field(default_factory=dict)
    human: Human | None = None
    rows: tuple[Row, ...] = ()
    not_run: tuple[NotRun, ...] = ()
    pairs: tuple[Pair, ...] = ()


@dataclass(frozen=True)
class Bench:
    """Raters on data sets. command: that made it. commit: that the code stood at."""

    parts: tuple[Part, ...]
    command: str = ""
    commit: str = ""

    @property
    def moved(self) -> tuple[str, ...]:
        """Raters whose predictions moved with the labels: what fails the run."""
        return tuple(dict.fromkeys(one.rater for part in self.parts for one in part.not_run if one.moved))


def write_bench(path: Path, bench: Bench) -> None:
    """Write the records as JSON, whole or not at all."""
    write_atomic(path, (json.dumps(dataclasses.asdict(bench), indent=1) + "\n").encode())


def read_bench(path: Path) -> Bench:
    """The records that `write_bench` wrote. Raises DataError."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Bench(tuple(_part(part) for part in values["parts"]), values["command"], values["commit"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path} is not the record of a bench ({error}). Run the bench again.") from error


def _part(values: dict[str, Any]) -> Part:
    human = from_json(values.pop("human"), Human) if values["human"] else values.pop("human")
    return Part(
        scale=from_json(values.pop("scale"), RatingScale),
        human=human,
        rows=tuple(from_json(row, Row) for row in values.pop("rows")),
        not_run=tuple(from_json(one, NotRun) for one in values.pop("not_run")),
        pairs=tuple(from_json(pair, Pair) for pair in values.pop("pairs")),
        **values,
    )

"""The card: what weights travel with. Loading refuses files that are not those the card was written for."""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import WEIGHTS, RaterConfig, RatingScale, ScaleMap
from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.files import sha256, write_atomic
from beauty_evaluate.settings import from_json, to_json

Decode = Callable[[dict[str, Any]], RaterConfig]


@dataclass(frozen=True)
class Artifact:
    """A file that travels with a card."""

    file: str
    sha256: str


@dataclass(frozen=True)
class TrainedOn:
    """What a rater has learnt from one data set.

    Attributes:
        data_set: its title.
        split: whose training part.
        scale: of the data set's raters.
        map: from that scale onto the rater's.
        labels: `n`, `mean`, `sd`, `min` and `max` of the training scores, on the rater's scale.
        photos: `photo_hash` of the names learnt from: a list of research files is not handed on.
        people: whether the photos show people; drawn faces do not.
    """

    data_set: str
    split: str
    scale: RatingScale
    map: ScaleMap
    labels: dict[str, float]
    photos: tuple[str, ...]
    people: bool = True


@dataclass(frozen=True)
class Card:
    """How weights were made and what they reach.

    Attributes:
        name: of its file.
        config: the whole recipe; its `family` says what kind of rater this is.
        scale: of the ratings.
        trained_on: what it has learnt from, the data set whose scale it has first; empty for what never learnt.
        parameters: numbers in the network.
        seconds: of all epochs.
        images_per_second: median over the epochs, with augmentation.
        started_from: name and hash of the weights that the training began with; empty: random ones.
        metrics: figures on test parts by data set and group; `mean_baseline` predicts the training mean for everyone.
        input: shape and type of a crop.
        artifacts: the files beside it by kind: `keras`, `onnx`, `stats`.
        interval: an `interval.Interval` as JSON; empty if it was never calibrated.
        explanations: what was measured of their faithfulness.
        folder: where the card was read.
    """

    name: str
    config: RaterConfig
    scale: RatingScale
    trained_on: tuple[TrainedOn, ...] = ()
    precision: str = ""
    command: str = ""
    commit: str = ""
    made: str = ""
    parameters: int = 0
    seconds: float = 0.0
    images_per_second: float = 0.0
    started_from: str = ""
    metrics: dict[str, dict[str, dict[str, float | None]]] = field(default_factory=dict)
    input: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    interval: dict[str, Any] = field(default_factory=dict)
    explanations: dict[str, Any] = field(default_factory=dict)
    folder: Path = Path()

    @property
    def data(self) -> str:
        """The title of the data set whose scale it has; "" for what never learnt."""
        return self.trained_on[0].data_set if self.trained_on else ""

    @property
    def data_sets(self) -> str:
        """The titles of all data sets it has learnt from, joined by "and"; "" for what never learnt."""
        return " and ".join(part.data_set for part in self.trained_on)

    @property
    def split(self) -> str:
        """The split of that data set."""
        return self.trained_on[0].split if self.trained_on else ""

    @property
    def labels(self) -> dict[str, float]:
        """`n`, `mean`, `sd`, `min` and `max` of the training scores of that data set."""
        return self.trained_on[0].labels if self.trained_on else {}

    @property
    def of_people(self) -> bool:
        """Whether it has learnt from photos of people, and from nothing drawn."""
        return bool(self.trained_on) and all(part.people for part in self.trained_on)

    @property
    def path(self) -> Path:
        """Of the card itself."""
        return self.folder / f"{self.name}.json"

    @property
    def identity(self) -> str:
        """Name and first 8 digits of a hash, which tells scores of two raters of one name apart: that of the network,
        or of the recipe and all files where something else was learnt too."""
        kind = next((kind for kind in ("onnx", "keras") if kind in self.artifacts), None)
        digest = self.artifacts[kind].sha256 if kind else ""
        if kind is None or set(self.artifacts) - {"onnx", "keras", "stats"}:
            parts = [json.dumps(to_json(self.config)), *(one.sha256 for one in self.artifacts.values())]
            digest = hashlib.sha256("".join(parts).encode()).hexdigest()
        return f"{self.name}:{digest[:8]}"

    def to_json(self) -> str:
        """The card as text; the folder is not part of it."""
        values = {key: value for key, value in vars(self).items() if key != "folder"}
        values["config"], values["scale"] = to_json(self.config), to_json(self.scale)
        values["trained_on"] = [to_json(part) for part in self.trained_on]
        values["artifacts"] = {kind: to_json(artifact) for kind, artifact in self.artifacts.items()}
        return json.dumps(values, indent=1) + "\n"

    def artifact(self, kind: str) -> Path:
        """The file of that kind, after its hash was checked. Raises WeightsError."""
        if kind not in self.artifacts:
            raise WeightsError(f"{self.name} has no {kind} file. Restore its card or train it again.")
        path = self.folder / self.artifacts[kind].file
        if not path.is_file():
            raise WeightsError(f"No such file: {path}. Restore it or train again.")
        if sha256(path) != self.artifacts[kind].sha256:
            raise WeightsError(f"{path} is not the file that its card describes. Restore both together.")
        return path

    def knows(self, data_set: str, names: Iterable[str]) -> list[str]:
        """Those of the photos of a data set that the rater has learnt from."""
        learnt = {photo for part in self.trained_on for photo in part.photos}
        return [name for name in names if photo_hash(data_set, name) in learnt]

    def explained(self, key: str) -> tuple[Any, str]:
        """A result of its explanations, None if there is none, and words for where it was measured: "" if here."""
        entry = self.explanations.get(key)
        if entry is None:
            return None, ""
        other = self.measured_on(key)
        return entry["result"], f" (measured on {other}, of the same recipe)" if other else ""

    def measured_on(self, key: str) -> str:
        """The other network of its recipe that a result of its explanations is from; "" if it is its own or none."""
        network = str(self.explanations.get(key, {}).get("network", self.name))
        return "" if network == self.name else network

    def stats(self, *names: str) -> dict[str, NDArray[Any]]:
        """Numbers of the data set, those named or all: `labels`, all its mean scores, sorted, mean activations of
        filters by layer, and where the photos learnt from lie among the features (`feature_space.FeatureSpace`)."""
        with np.load(self.artifact("stats")) as stored:
            return {name: stored[name] for name in names or stored.files}


def photo_hash(data_set: str, name: str) -> str:
    """What a card keeps of a photo's name: 16 hex digits of the SHA-256 of `data set/name`.

    Example:
        >>> len(photo_hash("SCUT-FBP5500", "AF1.jpg"))
        16
    """
    return hashlib.sha256(f"{data_set}/{name}".encode()).hexdigest()[:16]


def read(path: Path, decode: Decode) -> Card:
    """The card at a path.

    Args:
        path: of the JSON file.
        decode: makes the config of its family.

    Raises:
        WeightsError: no such card, or a damaged one.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        config = decode(values.pop("config"))
        scale = from_json(values.pop("scale"), RatingScale)
        parts = tuple(from_json(part, TrainedOn) for part in values.pop("trained_on"))
        artifacts = {kind: from_json(one, Artifact) for kind, one in values.pop("artifacts").items()}
        return Card(config=config, scale=scale, trained_on=parts, artifacts=artifacts, folder=path.parent, **values)
    except FileNotFoundError as error:
        there = ", ".join(sorted(card.stem for card in WEIGHTS.glob("*.json"))) or "none"
        raise WeightsError(f"No such card: {path}. The weights that are there: {there}.") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ConfigError) as error:
        raise WeightsError(f"{path} is not a card of this version ({error}).") from error


def is_card(path: Path) -> bool:
    """Whether a JSON file looks like a card, of this version or another."""
    return bool(_artifact_files(path))


def _artifact_files(path: Path) -> set[str]:
    """The files that a card names, itself among them; empty for JSON of another kind."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        names = {str(artifact["file"]) for artifact in values["artifacts"].values()}
        return {path.name, *names} if "config" in values else set()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()


def in_folder(folder: Path) -> Path:
    """The path of the one card of a folder; members of another rater there do not count. Raises WeightsError."""
    files = {path.name: _artifact_files(path) for path in sorted(folder.glob("*.json"))}
    members = {name for card, names in files.items() for name in names if name != card}
    cards = [name for name, names in files.items() if names and name not in members]
    if len(cards) == 1:
        return folder / cards[0]
    cure = f": {', '.join(cards)}. Name one of them" if cards else ". Name another folder"
    raise WeightsError(f"{folder} holds {len(cards) or 'no'} cards{cure}.")


def write(card: Card, **changes: Any) -> Path:
    """Write the card into its folder, with other values where some are given. Returns its path."""
    write_atomic(card.path, replace(card, **changes).to_json().encode())
    return card.path

"""The card: what weights travel with. Loading refuses files that are not those the card was written for."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import WEIGHTS, Config, from_json, to_json
from beauty_evaluate.errors import ConfigError, WeightsError

DEFAULTS = ("six_block", "six_block_60-40")  # the first that is there is used
DEFAULT_DATA = "SCUT-FBP5500"  # weights made from anything else are used only by name
KERAS, ONNX, STATS = ".weights.h5", ".onnx", ".stats.npz"


@dataclass(frozen=True)
class Card:
    """How weights were made and what they reach.

    parameters: numbers in the network. seconds: of all epochs. images_per_second: median over the epochs, with
    augmentation. trained_on: names of the photos learnt from. labels: n, mean, sd, min and max of the training scores.
    metrics: figures on the test part, by group; `constant` is the training mean as everyone's score.
    input: shape and type of a crop. files: sha256 of each file by its suffix. interval: `level`, and half the width of
    the interval around a score, `half`, at `scores`; empty if it was never calibrated. explanations: what was measured
    of their truth, by `faithfulness`. folder: where the card was read.
    """

    name: str
    data: str
    split: str
    config: Config
    precision: str
    command: str
    commit: str
    made: str
    parameters: int
    seconds: float
    images_per_second: float
    trained_on: tuple[str, ...]
    labels: dict[str, float]
    metrics: dict[str, dict[str, float | None]]
    input: dict[str, Any]
    versions: dict[str, str]
    files: dict[str, str] = field(default_factory=dict)
    interval: dict[str, Any] = field(default_factory=dict)
    explanations: dict[str, Any] = field(default_factory=dict)
    folder: Path = Path()

    def to_json(self) -> str:
        """The card as text; the folder is not part of it."""
        values = {k: v for k, v in vars(self).items() if k != "folder"}
        values["config"] = to_json(self.config)
        return json.dumps(values, indent=1) + "\n"

    def file(self, suffix: str) -> Path:
        """The weight file of that suffix, after its hash was checked. Raises WeightsError."""
        path = self.folder / (self.name + suffix)
        if suffix not in self.files:
            raise WeightsError(f"Expected a card that names {path.name}. Received: {self.name}.json without it.")
        if not path.is_file():
            raise WeightsError(f"Expected the weights {path}. Received: no such file; restore it or train again.")
        if sha256(path) != self.files[suffix]:
            raise WeightsError(
                f"Expected {path} as its card describes it. Received: a file with other content; restore both together."
            )
        return path

    def explained(self, key: str) -> tuple[Any, str]:
        """A finding of its explanations, None if there is none, and words for where it was measured: "" if here."""
        finding = self.explanations.get(key)
        if finding is None:
            return None, ""
        other = self.measured_on(key)
        return finding["found"], f" (measured on {other}, of the same recipe)" if other else ""

    def measured_on(self, key: str) -> str:
        """The other network of its recipe that a finding of its explanations is from; "" if it is its own or none."""
        network = str(self.explanations.get(key, {}).get("network", self.name))
        return "" if network == self.name else network

    def half_width(self, score: float) -> float | None:
        """Half the width of the interval around a score, in rating points."""
        return float(np.interp(score, self.interval["scores"], self.interval["half"])) if self.interval else None

    def stats(self, *names: str) -> dict[str, NDArray[Any]]:
        """Numbers of the data set, those named or all: `labels`, all its mean scores, sorted, and means and silence of
        filters by layer."""
        with np.load(self.file(STATS)) as stored:
            return {name: stored[name] for name in names or stored.files}


def load(name: str | None = None) -> Card:
    """The card of weights in `weights/`, or at the path of a card; by default of the best weights there are.

    Raises WeightsError: no such card, a damaged one, or a default that was not made from photos of people.
    """
    if name is None:
        found = [WEIGHTS / f"{n}.json" for n in DEFAULTS if (WEIGHTS / f"{n}.json").is_file()]
        if not found:
            raise WeightsError(
                f"Expected the weights {DEFAULTS[0]} in {WEIGHTS}. Received: none; restore or train them."
            )
        path = found[0]
    else:
        path = Path(name) if name.endswith(".json") else WEIGHTS / f"{name}.json"
    card = _read(path)
    if name is None and card.data != DEFAULT_DATA:
        raise WeightsError(f"Expected default weights made from {DEFAULT_DATA}. Received: some made from {card.data}.")
    return card


def _read(path: Path) -> Card:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        config = from_json(values.pop("config"))
        trained_on = tuple(values.pop("trained_on"))
        return Card(config=config, trained_on=trained_on, folder=path.parent, **values)
    except FileNotFoundError as error:
        there = ", ".join(sorted(p.stem for p in WEIGHTS.glob("*.json"))) or "none"
        raise WeightsError(
            f"Expected a card at {path}. Received: no such file; the weights that are there: {there}."
        ) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ConfigError) as error:
        raise WeightsError(f"Expected a card in {path}. Received: something else ({error}).") from error


def rewrite(card: Card, **changes: Any) -> Path:
    """Write the card again with other values, an interval for instance. Returns its path."""
    path = card.folder / f"{card.name}.json"
    write_whole(path, replace(card, **changes).to_json().encode())
    return path


def same_recipe(names: Sequence[str], measured: Card) -> list[Card]:
    """The cards of those names or paths; ConfigError if one is of another recipe than `measured`."""
    cards = [load(name) for name in names]
    for card in cards:
        if card.config != measured.config:
            raise ConfigError(f"Expected networks of the recipe of {measured.name}. Received: {card.name} of another.")
    return cards


def explain(names: Sequence[str], measured: Card, **found: Any) -> None:
    """Write what was found of the explanations of `measured` into the cards of `same_recipe`, each finding with the
    name of the network that it was measured on."""
    told = {key: {"network": measured.name, "found": value} for key, value in found.items()}
    for card in same_recipe(names, measured):
        rewrite(card, explanations={**card.explanations, **told})


def write_whole(path: Path, content: bytes | memoryview) -> None:
    """Write a file so that, whatever happens, either the old or the new one is there whole."""
    temporary = path.with_name(path.name + ".part")
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

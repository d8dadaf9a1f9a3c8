"""A family of raters for tests, which measure one thing of a synthetic face: how large its eyes are, or its jaw."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from beauty_evaluate.config import CropConfig, RatingScale, ScaleMap
from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.faces.align import Crop
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.card import Card, TrainedOn, photo_hash
from beauty_evaluate.raters.rater import Ratings, with_intervals
from beauty_evaluate.raters.registry import Family
from beauty_evaluate.settings import Checked


@dataclass(frozen=True)
class DrawnConfig(Checked):
    preset: str = "drawn"
    part: Literal["eyes", "jaw"] = "eyes"
    crop: CropConfig = field(default_factory=lambda: CropConfig(size=64))
    family: Literal["drawn"] = "drawn"


class Drawn:
    """Percent of the pixels that show the part."""

    needs = frozenset({"crop"})
    rated = 0  # faces, by all of them

    def __init__(self, card: Card) -> None:
        assert isinstance(card.config, DrawnConfig)
        self.card, self.name, self.scale, self.config = card, card.name, card.scale, card.config

    def rate(self, faces: Sequence[Face]) -> Ratings:
        if not faces:
            raise ValueError("Expected faces to rate. Received: none.")
        Drawn.rated += len(faces)
        measure = {"eyes": _eyes, "jaw": _jaw}[self.config.part]
        return with_intervals(self.card, np.array([100 * measure(face.crop(self.config.crop)) for face in faces]))


def _eyes(crop: Crop) -> float:
    """The share of white in a band over the eyes."""
    side = len(crop)
    band = crop[int(0.42 * side) : int(0.56 * side), int(0.2 * side) : int(0.8 * side)]
    return float((band.min(2) > 190).mean())


def _jaw(crop: Crop) -> float:
    """The share of skin in a line below the mouth."""
    side = len(crop)
    skin = 0.97 * crop[int(0.69 * side), int(0.38 * side)].astype(float)
    line = crop[int(0.82 * side) : int(0.88 * side)].astype(float)
    return float((np.abs(line - skin).max(2) < 16).mean())


def add_family(patch: pytest.MonkeyPatch) -> None:
    """A row of the registry, for a test."""
    patch.setitem(registry.FAMILIES, "drawn", Family(DrawnConfig, lambda card, runtime, threads: Drawn(card)))
    patch.setattr(Drawn, "rated", 0)


def drawn_card(
    folder: Path, part: str, data: DataSet | None = None, split: str = "synthetic-val", size: int = 64
) -> Card:
    """The card of such a rater, named after its part, that has learnt from the training part of a split."""
    folder.mkdir(parents=True, exist_ok=True)
    learnt: tuple[TrainedOn, ...] = ()
    scale = RatingScale(0, 100)
    if data:
        names = data.split(split).train
        labels = {"n": float(len(names)), "mean": 50.0, "sd": 20.0, "min": 0.0, "max": 100.0}
        photos = tuple(sorted(photo_hash(data.title, name) for name in names))
        learnt = (TrainedOn(data.title, split, data.scale, ScaleMap(25, -25), labels, photos, data.people),)
    config = DrawnConfig(part=part, crop=CropConfig(size=size))  # type: ignore[arg-type]
    card = Card(part, config, scale, learnt, folder=folder, seconds=60.0, command=f"draw {part}")
    cards.write(card)
    return card

"""Everything that changes a score: frozen dataclasses, named presets, to and from JSON."""

import dataclasses
import math
import os
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from beauty_evaluate.errors import ConfigError

_INSTALLED = Path(__file__).resolve().parent / "_weights"
WEIGHTS = _INSTALLED if _INSTALLED.is_dir() else _INSTALLED.parents[1] / "weights"
ROOT = WEIGHTS.parent  # of a checkout
THIRD_PARTY = WEIGHTS / "third_party"


@dataclass(frozen=True)
class CropConfig:
    """How a photo becomes the network's input."""

    geometry: str = "aligned"  # "aligned": similarity transform onto five points; "whole": the picture, squeezed
    size: int = 256  # pixels a side
    margin: float = 0.0  # extra border on each side of the aligned crop, as a share of its side
    grey: bool = False
    detector_threshold: float = 0.7  # .6 adds doubtful faces, .9 loses good ones
    detector_side: int = 640  # longest side that the detector gets: it knows faces of about 10 to 300 pixels


@dataclass(frozen=True)
class NetworkConfig:
    """The shape of the network. `kind` names a row of models.registry."""

    kind: str = "six_block"
    channels: tuple[int, ...] = (32, 32, 64, 128, 256, 384)
    convolutions: tuple[int, ...] = (1, 2, 2, 2, 2, 2)
    first_stride: int = 1  # 2: the first convolution halves the picture, so that a larger one costs no more
    residual: bool = True
    hidden: tuple[int, int] = (256, 128)
    dropout: float = 0.3  # in front of fc1 alone: in front of two ReLU layers, it leaves scores flat when it is gone


@dataclass(frozen=True)
class AugmentConfig:
    """Random changes of a training crop; each figure is the widest change, 0 is none."""

    mirror: bool = True
    rotation: float = 6.0  # degrees
    scale: float = 0.08  # share
    shift: float = 0.03  # share of the side
    brightness: float = 0.2  # share of the full range
    contrast: float = 0.2  # share
    colour: float = 0.1  # share, each channel by itself
    blur: float = 0.15  # share of crops that are blurred
    blur_sigma: tuple[float, float] = (0.4, 1.4)  # pixels
    erase: float = 0.25  # share of crops that lose a patch
    erase_side: tuple[float, float] = (0.1, 0.35)  # share of the side
    mixup: float = 0.5  # share of crops that are mixed with another
    mixup_beta: float = 0.4
    pad: float = 0.15  # share of the side kept around a crop, so that turning it brings in no made-up pixels


@dataclass(frozen=True)
class TrainingConfig:
    """How the network learns. The loss of the score is always the mean squared error."""

    epochs: int = 40
    views_per_epoch: int = 1  # augmented views of each photo in an epoch
    batch_size: int = 32
    optimizer: str = "muon"  # or "adamw", "adam"
    learning_rate: float = 2e-3
    momentum: float = 0.95  # of muon
    warmup_epochs: float = 2.0
    schedule: str = "cosine"  # or "constant"
    weight_decay: float = 0.05
    ema_decay: float = 0.995  # 0: the last step's weights
    landmark_weight: float = 0.3  # 86 landmarks as a second target, in training only; 0: none
    group_weight: float = 0.0  # cross-entropy of the group (AF ... CM) as a further target, in training only
    precision: str = "auto"  # "float32", "mixed_bfloat16", or the faster of the two in a short trial
    seed: int = 1


@dataclass(frozen=True)
class Config:
    """One recipe."""

    preset: str
    crop: CropConfig = field(default_factory=CropConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    flip_tta: bool = True  # a score is the mean over the crop and its mirror image


NO_AUGMENT = AugmentConfig(
    mirror=False, rotation=0, scale=0, shift=0, brightness=0, contrast=0, colour=0, blur=0, erase=0, mixup=0
)

PRESETS: dict[str, Config] = {
    "six_block": Config(
        "six_block",
        network=NetworkConfig(first_stride=2),
        training=TrainingConfig(
            batch_size=64, learning_rate=6e-3, weight_decay=0.2, landmark_weight=1.0, group_weight=0.3
        ),
    ),
    # The network of the article this project started from, as its author published it.
    "article": Config(
        "article",
        CropConfig("whole", 160, grey=True),
        NetworkConfig(
            "article", (64, 64, 128, 128, 256, 512), (1,) * 6, residual=False, hidden=(256, 512), dropout=0.25
        ),
        NO_AUGMENT,
        TrainingConfig(
            batch_size=128,
            optimizer="adam",
            learning_rate=1e-3,
            warmup_epochs=0,
            schedule="constant",
            weight_decay=0,
            ema_decay=0,
            landmark_weight=0,
        ),
        flip_tta=False,
    ),
    # Small enough to learn the drawn faces in a minute.
    "drawn": Config(
        "drawn",
        CropConfig(size=64),
        NetworkConfig(channels=(8, 16, 16, 24, 32, 32), hidden=(32, 16), convolutions=(1,) * 6, dropout=0.1),
        NO_AUGMENT,  # a jaw is three pixels wide or narrow here
        TrainingConfig(batch_size=16, learning_rate=5e-3, landmark_weight=0, ema_decay=0.95),
    ),
}


def preset(name: str) -> Config:
    """The recipe of that name; ConfigError names those there are."""
    if name not in PRESETS:
        raise ConfigError(f"Expected a preset of {', '.join(PRESETS)}. Received: {name}.")
    return PRESETS[name]


def to_json(config: Any) -> dict[str, Any]:
    """A dataclass as plain dicts, lists and numbers."""
    return dataclasses.asdict(config)


def from_json(values: dict[str, Any], kind: Any = Config) -> Any:
    """The dataclass `kind` from `to_json`'s dict. ConfigError on an unknown or missing key."""
    names = {f.name for f in dataclasses.fields(kind)}
    if unknown := sorted(set(values) - names):
        raise ConfigError(f"Expected the settings {', '.join(sorted(names))}. Received: {', '.join(unknown)}.")
    hints = typing.get_type_hints(kind)
    built = {}
    for name, value in values.items():
        if dataclasses.is_dataclass(hints[name]):
            value = from_json(value, hints[name])
        built[name] = tuple(value) if isinstance(value, list) else value
    try:
        return kind(**built)
    except TypeError as error:
        raise ConfigError(f"Expected a whole configuration. Received: one without a setting ({error}).") from error


@dataclass(frozen=True)
class RatingScale:
    """The scale that a data set's raters used, in rating points.

    Example:
        >>> scale = RatingScale(1, 5)
        >>> scale.clip(5.2), scale.level(3.5), list(scale.levels)
        (5.0, 4, [1, 2, 3, 4, 5])
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ConfigError(f"A scale runs from a lower to a higher number, not from {self.low:g} to {self.high:g}.")

    def __str__(self) -> str:
        return f"{self.low:g}..{self.high:g}"

    def clip(self, score: float) -> float:
        """The score, or the end of the scale that it lies beyond."""
        return float(min(max(score, self.low), self.high))

    def contains(self, score: float) -> bool:
        """Whether the score lies on the scale; NaN does not."""
        return self.low <= score <= self.high

    @property
    def levels(self) -> range:
        """The whole numbers on the scale."""
        return range(math.ceil(self.low), math.floor(self.high) + 1)

    def level(self, score: float) -> int:
        """The level of a score: rounded, a half upwards."""
        return math.floor(score + 0.5)


@dataclass(frozen=True)
class ScaleMap:
    """A line from one scale to another: `slope * score + offset`.

    Example:
        >>> float(ScaleMap(0.5, 1.0).apply(4))
        3.0
    """

    slope: float = 1.0
    offset: float = 0.0

    def apply(self, scores: Any) -> Any:
        """The scores, a number or an array of any shape, on the other scale."""
        return self.slope * scores + self.offset


def cores() -> int:
    """The processor cores that this process may use, which may be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

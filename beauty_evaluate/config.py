"""Everything that changes a score: frozen dataclasses."""

import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from beauty_evaluate.errors import ConfigError
from beauty_evaluate.settings import Checked, within

_INSTALLED = Path(__file__).resolve().parent / "_weights"
WEIGHTS = _INSTALLED if _INSTALLED.is_dir() else _INSTALLED.parents[1] / "weights"
ROOT = WEIGHTS.parent  # of a checkout
THIRD_PARTY = WEIGHTS / "third_party"


def cores() -> int:
    """The processor cores that this process may use, which may be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class RatingScale(Checked):
    """The scale that a data set's raters used, in rating points.

    Example:
        >>> scale = RatingScale(1, 5)
        >>> scale.clip(5.2), scale.level(3.5), list(scale.levels)
        (5.0, 4, [1, 2, 3, 4, 5])
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        super().__post_init__()
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
class ScaleMap(Checked):
    """A line from one data set's scale onto another's: slope * score + offset.

    Example:
        >>> ScaleMap(0.5, 0.5).apply(9)
        5.0
    """

    slope: float = 1.0
    offset: float = 0.0

    def apply(self, score: Any) -> Any:
        """A score, or an array of them, on the target scale."""
        return self.slope * score + self.offset


class RaterConfig(Protocol):
    """What the configs of all families of raters have: the tag of the family, and the name of the recipe."""

    @property
    def family(self) -> str:
        """The row of `raters.registry.FAMILIES`."""

    @property
    def preset(self) -> str:
        """The name of the recipe."""


@dataclass(frozen=True)
class CropConfig(Checked):
    """How a photo becomes the network's input."""

    geometry: Literal["aligned", "whole"] = "aligned"  # a similarity transform onto five points; the picture, squeezed
    size: int = within(256, 16, 4096)  # pixels a side
    margin: float = within(0.0, 0, 1)  # extra border on each side of the aligned crop, as a share of its side
    grey: bool = False
    detector_threshold: float = within(0.7, 0, 1)  # .6 adds doubtful faces, .9 loses good ones
    detector_side: int = within(640, 64)  # longest side that the detector gets: it sees faces of about 20 to 300 pixels


@dataclass(frozen=True)
class NetworkConfig(Checked):
    """The shape of the network. `kind` names a row of raters.builders.BUILDERS."""

    kind: str = "six_block"
    channels: tuple[int, ...] = within((32, 32, 64, 128, 256, 384), 1)
    convolutions: tuple[int, ...] = within((1, 2, 2, 2, 2, 2), 1)
    first_stride: int = within(1, 1, 2)  # 2: the first convolution halves the picture: a larger one costs no more
    residual: bool = True
    hidden: tuple[int, int] = within((256, 128), 1)
    # in front of fc1 alone: in front of two ReLU layers, it leaves scores flat when it is gone
    dropout: float = within(0.3, 0, 0.99)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.channels) != len(self.convolutions):
            raise ConfigError(
                "network.channels and network.convolutions take a number for each block, "
                f"not {self.channels} and {self.convolutions}."
            )


@dataclass(frozen=True)
class AugmentConfig(Checked):
    """Random changes of a training crop; each figure is the widest change, 0 is none."""

    mirror: bool = True
    rotation: float = within(6.0, 0, 180)  # degrees
    scale: float = within(0.08, 0, 1)  # share
    shift: float = within(0.03, 0, 1)  # share of the side
    brightness: float = within(0.2, 0, 1)  # share of the full range
    contrast: float = within(0.2, 0, 1)  # share
    colour: float = within(0.1, 0, 1)  # share, each channel by itself
    blur: float = within(0.15, 0, 1)  # share of crops that are blurred
    blur_sigma: tuple[float, float] = within((0.4, 1.4), 0, above=True)  # pixels
    erase: float = within(0.25, 0, 1)  # share of crops that lose a patch
    erase_side: tuple[float, float] = within((0.1, 0.35), 0, 0.99)  # share of the side
    mixup: float = within(0.5, 0, 1)  # share of crops that are mixed with another
    mixup_beta: float = within(0.4, 0, above=True)
    pad: float = within(0.15, 0, 1)  # share of the side kept around a crop: turning it brings in no made-up pixels
    background: float = within(0.0, 0, 1)  # share of crops whose background is replaced
    gamma: float = within(0.0, 0)  # brightness to the power of exp(+-gamma)
    saturation: float = within(0.0, 0, 1)  # share
    grey: float = within(0.0, 0, 1)  # share of crops that lose their colour
    ramp: float = within(0.0, 0, 1)  # light from one side: share of brightness that the far sides gain and lose
    shrink: float = within(0.0, 0, 1)  # share of crops that lose resolution
    shrink_to: tuple[float, float] = within((0.2, 0.9), 0, 1, above=True)  # share of the pixels of a side that is left
    jpeg: float = within(0.0, 0, 1)  # share of crops that are compressed
    jpeg_quality: tuple[int, int] = within((25, 90), 1, 100)
    cut: float = within(0.0, 0, 1)  # share of crops that reach beyond the photo, whose border is repeated there
    cut_depth: float = within(0.2, 0, 0.9)  # share of the side, at most


@dataclass(frozen=True)
class TrainingConfig(Checked):
    """How the network learns. The loss of the score is always the mean squared error."""

    epochs: int = within(40, 1)
    views_per_epoch: int = within(1, 1)  # augmented views of each photo in an epoch
    batch_size: int = within(32, 1)
    optimizer: Literal["muon", "adamw", "adam"] = "muon"
    learning_rate: float = within(2e-3, 0, above=True)
    momentum: float = within(0.95, 0, 1)  # of muon
    muon_group_head: bool = False  # whether muon also moves the group head, as it did in networks of release 0.1
    warmup_epochs: float = within(2.0, 0)
    schedule: Literal["cosine", "constant"] = "cosine"
    weight_decay: float = within(0.05, 0)
    ema_decay: float = within(0.995, 0, 1)  # 0: the last step's weights
    landmark_weight: float = within(0.3, 0)  # the data set's landmarks as a second target, in training only; 0: none
    group_weight: float = within(0.0, 0)  # cross-entropy of the group of faces as a further target, in training only
    precision: Literal["auto", "float32", "mixed_bfloat16"] = "auto"  # auto: the faster of the two in a short trial
    seed: int = within(1, 0)
    passes: tuple[int, ...] = within((), 1)  # over each data set's photos in a view of an epoch; none given: 1
    curve_photos: int = within(100, 0)  # held back of a training part that no paper has made, for the curve; 0: none


@dataclass(frozen=True)
class Config(Checked):
    """The recipe of a network: the config of the family `network`.

    Example:
        >>> from beauty_evaluate.presets import preset
        >>> from beauty_evaluate.settings import with_settings
        >>> config = with_settings(preset("six_block"), ["training.batch_size=32"])
        >>> config.training.batch_size, config.family
        (32, 'network')
    """

    preset: str
    crop: CropConfig = field(default_factory=CropConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    flip_tta: bool = True  # test-time augmentation: a score is the mean over the crop and its mirror image
    family: Literal["network"] = "network"

    def __post_init__(self) -> None:
        super().__post_init__()
        blocks, stride = len(self.network.channels), self.network.first_stride
        least = stride * 2**blocks
        if self.crop.size < least:
            cure = f"crop.size of {least} or more" + (", or network.first_stride=1" if stride > 1 else "")
            raise ConfigError(
                f"A crop of {self.crop.size} pixels is too small for {blocks} blocks, which halve it: set {cure}."
            )

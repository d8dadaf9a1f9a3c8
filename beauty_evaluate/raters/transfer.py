"""The family `transfer`: a backbone that others trained, with a head for scores, frozen or fine-tuned."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from beauty_evaluate.config import AugmentConfig, CropConfig
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.raters import portable
from beauty_evaluate.raters.backbone_config import BackboneConfig
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.heads import HeadConfig
from beauty_evaluate.raters.rater import CardRater, Ratings, with_intervals
from beauty_evaluate.raters.runtime import PredictFn, look
from beauty_evaluate.settings import Checked, within


@dataclass(frozen=True)
class FineTuningConfig(Checked):
    """How all weights learn, once the head has learnt alone.

    Attributes:
        epochs: passes over the photos, of which the one that is best on the photos held back is kept; 0: the backbone
            stays frozen.
        plateau: epochs without a better loss after which the rate is multiplied by `plateau_factor`, down to `floor`.
        batch_norm: whether the backbone's batch normalisation keeps the statistics that it came with.
    """

    epochs: int = within(10, 0)
    learning_rate: float = within(1e-4, 0, above=True)
    batch_size: int = within(32, 1)
    weight_decay: float = within(0.0, 0)
    plateau: int = within(2, 1)
    plateau_factor: float = within(0.1, 0, 1, above=True)
    floor: float = within(1e-5, 0)
    batch_norm: Literal["frozen", "learning"] = "frozen"
    seed: int = within(1, 0)


@dataclass(frozen=True)
class TransferConfig(Checked):
    """The config of the family `transfer`. The loss is always the mean squared error."""

    preset: str = "efficientnet_lite0"
    crop: CropConfig = field(default_factory=lambda: CropConfig(size=224))
    backbone: BackboneConfig = field(default_factory=lambda: BackboneConfig("efficientnet_lite0"))
    head: HeadConfig = field(default_factory=HeadConfig)
    fine_tuning: FineTuningConfig = field(default_factory=FineTuningConfig)
    augment: AugmentConfig = field(default_factory=lambda: AugmentConfig(mixup=0.0))
    flip_tta: bool = True
    family: Literal["transfer"] = "transfer"


class TransferRater(CardRater):
    """A backbone with a head, run from the exported network. Safe to use from any number of threads."""

    needs = frozenset({"crop"})

    def __init__(self, card: Card, threads: int = 0) -> None:
        """Remember the card; the network is read when the first face is rated.

        Args:
            card: of the family `transfer`.
            threads: of ONNX Runtime for one call; 0: all cores.
        """
        assert isinstance(card.config, TransferConfig)
        self.card, self.config = card, card.config
        self._threads, self._lock = threads, threading.Lock()

    def rate(self, faces: Sequence[Face]) -> Ratings:
        """Rate each face, the mean over its crop and the mirror image where the card says so. ValueError for no
        faces."""
        if not faces:
            raise ValueError("Expected faces to rate. Received: none.")
        with self._lock:
            network = self._network
        views = look(network, [face.crop(self.config.crop) for face in faces], self.config.flip_tta)
        return with_intervals(self.card, views.ratings, {"mirror_gap": np.asarray(views.mirror_gap)})

    @cached_property
    def _network(self) -> PredictFn:
        return portable.predictor(self.card, self._threads)

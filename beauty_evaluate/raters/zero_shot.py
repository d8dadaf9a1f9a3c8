"""The family `zero_shot`: how much nearer a face is to "attractive" than to "unattractive", by CLIP."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.faces.align import Crop
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.raters import portable
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.rater import CardRater, Ratings, with_intervals
from beauty_evaluate.raters.runtime import BATCH, PredictFn
from beauty_evaluate.settings import Checked

Floats = NDArray[np.float64]
BETWEEN = "/"  # the two adjectives of a pair
GAP = "{}"  # of the prompt, for an adjective
TEXTS = "texts"  # the artifact with the directions of the pairs


@dataclass(frozen=True)
class ZeroShotConfig(Checked):
    """The config of the family `zero_shot`.

    Attributes:
        crop: what of a photo is looked at; with `geometry` "whole" all of it.
        backbone: a CLIP of KerasHub: the name of a preset, an hf:// address or a folder.
        pairs: adjectives for and against, each pair with `/` between them.
        prompt: the sentence, with {} for the adjective.
        flip_tta: whether the mirror image is looked at too.
        centre: mean margin of each pair over the training photos; empty before it was learnt.
        spread: standard deviation of the same.
        slope: rating points per standard deviation of the mean margin; never below 0, so that words keep their sense.
        offset: rating points of a face in the middle.
    """

    preset: str = "clip_zero_shot"
    crop: CropConfig = field(default_factory=lambda: CropConfig(size=224))
    backbone: str = "clip_vit_base_patch32"
    pairs: tuple[str, ...] = ("attractive/unattractive", "beautiful/ugly", "hot/plain", "aesthetic/unaesthetic")
    prompt: str = "a photo of a {} person"
    flip_tta: bool = True
    centre: tuple[float, ...] = ()
    spread: tuple[float, ...] = ()
    slope: float = 0.0
    offset: float = 0.0
    family: Literal["zero_shot"] = "zero_shot"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.pairs or not all(len([w for w in pair.split(BETWEEN) if w.strip()]) == 2 for pair in self.pairs):
            raise ConfigError(f'pairs takes adjectives such as ["beautiful/ugly"], not {list(self.pairs)}.')
        if len(set(self.names)) < len(self.pairs):
            raise ConfigError(f"Each of the pairs begins with an adjective of its own, not {', '.join(self.names)}.")
        if self.prompt.count(GAP) != 1:
            raise ConfigError(f"prompt takes a sentence with one {GAP} for the adjective, not {self.prompt!r}.")
        if self.crop.grey:
            raise ConfigError("CLIP looks at colours: leave crop.grey as it is.")

    @property
    def names(self) -> tuple[str, ...]:
        """The first adjective of each pair.

        Example:
            >>> ZeroShotConfig(pairs=("beautiful/ugly",)).names
            ('beautiful',)
        """
        return tuple(pair.split(BETWEEN)[0].strip() for pair in self.pairs)

    @property
    def sentences(self) -> list[str]:
        """The prompts: for each pair that of its first adjective, and then for each that of its second.

        Example:
            >>> ZeroShotConfig(pairs=("beautiful/ugly",)).sentences
            ['a photo of a beautiful person', 'a photo of a ugly person']
        """
        adjectives = [[side.strip() for side in pair.split(BETWEEN)] for pair in self.pairs]
        return [self.prompt.replace(GAP, pair[side]) for side in (0, 1) for pair in adjectives]


def margins(network: PredictFn, directions: Floats, crops: Sequence[Crop], flip_tta: bool) -> Floats:
    """By how much each face is nearer to the first adjective of each pair than to the second.

    Args:
        network: from float32 crops (N, size, size, 3) of 0..255 to embeddings (N, D) of length 1.
        directions: (K, D), embedding of the first prompt less that of the second, times CLIP's scale of logits.
        crops: N of them, N > 0.
        flip_tta: the mean over the crop and its mirror image.

    Returns:
        float64 (N, K), differences of logits: the softmax over both prompts is the sigmoid of it.

    Example:
        >>> margins(lambda crops: crops.mean((1, 2)), np.array([[1.0, 0, -1]]), [np.ones((4, 4, 3))], True).tolist()
        [[0.0]]
    """
    parts = []
    for start in range(0, len(crops), BATCH):
        part = np.stack(crops[start : start + BATCH]).astype(np.float32)
        views = [part, part[:, :, ::-1]] if flip_tta else [part]
        parts.append(np.mean([network(np.ascontiguousarray(view)) for view in views], axis=0, dtype=np.float64))
    return np.asarray(np.concatenate(parts) @ directions.T)


class ZeroShot(CardRater):
    """CLIP with pairs of adjectives. Safe to use from any number of threads.

    A pair's score and the rating are on one line: the rating is the mean of its parts.

    Example:
        >>> from beauty_evaluate.config import RatingScale
        >>> from beauty_evaluate.raters.card import Card
        >>> ZeroShot(Card("clip", ZeroShotConfig(), RatingScale(1, 5))).config.names[:2]
        ('attractive', 'beautiful')
    """

    needs = frozenset({"crop"})

    def __init__(self, card: Card, threads: int = 0) -> None:
        """Remember the card; its files are read when the first face is rated.

        Args:
            card: of the family `zero_shot`, with the part of CLIP that sees, and the directions of the pairs.
            threads: of one call of ONNX Runtime; 0: all cores.
        """
        assert isinstance(card.config, ZeroShotConfig)
        self.card, self.config = card, card.config
        self._threads, self._lock = threads, threading.Lock()

    def rate(self, faces: Sequence[Face]) -> Ratings:
        """The mean over the pairs for each face, with a part for each. ValueError for no faces."""
        if not faces:
            raise ValueError("Expected faces to rate. Received: none.")
        with self._lock:
            network, directions = self._network, self._directions
        crops = [face.crop(self.config.crop) for face in faces]
        parts = self._calibrated(margins(network, directions, crops, self.config.flip_tta))
        names = self.config.names
        columns = {name: parts[:, i].copy() for i, name in enumerate(names)} if len(names) > 1 else {}
        note = f"Zero-shot: the mean over {', '.join(names)}; only its scale was learnt."
        return with_intervals(self.card, parts.mean(1), notes=(note,), parts=columns)

    def _calibrated(self, values: Floats) -> Floats:
        centre, spread = np.array(self.config.centre), np.array(self.config.spread)
        return np.asarray(self.config.offset + self.config.slope * (values - centre) / spread)

    @cached_property
    def _network(self) -> PredictFn:
        return portable.predictor(self.card, self._threads)

    @cached_property
    def _directions(self) -> Floats:
        with np.load(self.card.artifact(TEXTS)) as stored:
            return np.asarray(stored["directions"], np.float64)

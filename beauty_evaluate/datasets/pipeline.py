"""From crops to augmented training batches."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import AugmentConfig
from beauty_evaluate.datasets.augment import degraded, mirror_order, mixed, random_warp, recoloured
from beauty_evaluate.datasets.background import replace_background
from beauty_evaluate.datasets.crops import Crops, Floats
from beauty_evaluate.faces import align
from beauty_evaluate.images import Picture


class Batch(NamedTuple):
    """One batch of B augmented crops.

    Attributes:
        pixels: uint8 (B, size, size, C), RGB or grey.
        scores: float32 (B,), in points.
        landmarks: float32 (B, 2n), offsets from the mean shape in its SDs, 0 where unknown.
        landmarks_known: float32 (B,), 1 where the landmarks are known, else 0.
        groups: float32 (B, kinds), the share of each group, 0 where unknown.
        groups_known: float32 (B,), 1 where the group is known, else 0.
    """

    pixels: Picture
    scores: Floats
    landmarks: Floats
    landmarks_known: Floats
    groups: Floats
    groups_known: Floats


class Batches:
    """Augmented training batches. The batches of an epoch hang on (seed, epoch) alone, not on what ran before.

    An epoch is `views` views of the photos; a view passes over a data set's photos as often as `passes` says, in the
    order of the sets. Landmarks and groups that are unknown are masked, so that they cost
    nothing in the loss.

    Attributes:
        steps: Batches in an epoch.
        pictures: Views in an epoch.
        kinds: The known groups, in the order of `Batch.groups`.
        mean_shape: float32 (n, 2), the mean of the known landmarks; shape_sd their standard deviation.

    Example:
        >>> from beauty_evaluate.config import CropConfig
        >>> from beauty_evaluate.datasets import synthetic
        >>> from beauty_evaluate.datasets.crops import load_crops
        >>> from beauty_evaluate.presets import NO_AUGMENT
        >>> crops = load_crops(list(synthetic.draw(6).samples.values()), CropConfig(size=64))
        >>> batches = Batches(crops, NO_AUGMENT, batch=3, seed=1)
        >>> batches.steps, next(batches.epoch(0)).pixels.shape
        (2, (3, 64, 64, 3))
    """

    def __init__(
        self, crops: Crops, augment: AugmentConfig, batch: int, seed: int, views: int = 1, passes: Sequence[int] = ()
    ) -> None:
        self.crops, self.augment, self.seed, self.views = crops, augment, seed, views
        by_set = dict(zip(dict.fromkeys(crops.data_sets), passes, strict=False))
        self.photos = np.repeat(np.arange(len(crops.names)), [by_set.get(title, 1) for title in crops.data_sets])
        self.batch = min(batch, len(self.photos))
        # a last batch smaller than half is left out: BatchNorm would learn noise from it; the order is new every view
        self.view_steps = max(1, round(len(self.photos) / self.batch - 1e-9))
        self.steps = views * self.view_steps
        self.pictures = views * min(self.view_steps * self.batch, len(self.photos))
        self.size = crops.pixels.shape[1] - 2 * crops.pad
        count = crops.landmarks.shape[1]
        has_landmarks = ~np.isnan(crops.landmarks).any((1, 2)) & (count > 0)
        self.landmarks_known: Floats = np.asarray(has_landmarks, np.float32)
        self.kinds = tuple(sorted(set(crops.groups) - {""}))
        labels = np.array(crops.groups)[:, None] == np.array(self.kinds, str)[None]
        self.groups: Floats = np.asarray(labels, np.float32)
        self.groups_known: Floats = np.asarray(labels.any(1), np.float32)
        some = crops.landmarks[has_landmarks] if has_landmarks.any() else np.zeros((1, count, 2), np.float32)
        self.mean_shape: Floats = np.asarray(some.mean(0))
        self.shape_sd: Floats = np.asarray(np.maximum(some.std(0), 1e-3))
        self.swap = mirror_order(self.mean_shape)

    def epoch(self, epoch: int, ahead: int = 4) -> Iterator[Batch]:
        """The batches of one epoch, built on threads while the network computes."""
        parts = []
        for turn in range(epoch * self.views, (epoch + 1) * self.views):
            order = np.random.default_rng((self.seed, turn)).permutation(len(self.photos))
            parts += [(turn, order[i * self.batch : (i + 1) * self.batch]) for i in range(self.view_steps)]
        with ThreadPoolExecutor(2) as pool:
            waiting = [pool.submit(self._batch, *part) for part in parts[:ahead]]
            for i in range(self.steps):
                batch = waiting.pop(0).result()
                if i + ahead < self.steps:
                    waiting.append(pool.submit(self._batch, *parts[i + ahead]))
                yield batch

    def _batch(self, turn: int, places: NDArray[np.int64]) -> Batch:
        """The batch of the photos at these places in a view, counted over all epochs."""
        rngs = [np.random.default_rng((self.seed, turn, int(place))) for place in places]
        indices = self.photos[places]
        built = [self._augmented(int(i), rng) for i, rng in zip(indices, rngs, strict=True)]
        pixels = np.stack([crop for crop, _ in built])
        marks = np.stack([m for _, m in built])
        scores, groups = self.crops.scores[indices], self.groups[indices]
        landmarks_known = self.landmarks_known[indices]
        groups_known = self.groups_known[indices]
        for k, rng in enumerate(rngs):
            if rng.random() < self.augment.mixup:
                other = (k + 1) % len(rngs)
                share = float(rng.beta(self.augment.mixup_beta, self.augment.mixup_beta))
                share = max(share, 1 - share)
                pixels[k] = mixed(built[k][0], built[other][0], share)
                marks[k] = share * built[k][1] + (1 - share) * built[other][1]
                scores[k] = share * scores[k] + (1 - share) * self.crops.scores[indices[other]]
                groups[k] = share * groups[k] + (1 - share) * self.groups[indices[other]]
                landmarks_known[k] = min(landmarks_known[k], self.landmarks_known[indices[other]])
                groups_known[k] = min(groups_known[k], self.groups_known[indices[other]])
        marks = marks.reshape(len(indices), -1)
        return Batch(pixels, scores, marks, landmarks_known, groups, groups_known)

    def _augmented(self, index: int, rng: np.random.Generator) -> tuple[Picture, Floats]:
        """One crop, changed at random, and its landmarks as offsets from the mean shape in units of their SD."""
        crop, change = self.crops.pixels[index], self.augment
        matrix, mirrored = random_warp(change, self.size, rng)
        if (matrix[:, :2] == np.eye(2)).all() and not matrix[:, 2].any():
            crop = self.crops.pixels[index, self.crops.pad :, self.crops.pad :][: self.size, : self.size].copy()
        else:
            shifted = matrix.copy()
            shifted[:, 2] -= matrix[:, :2] @ np.full(2, self.crops.pad)
            crop = self._warped(crop, shifted)
        crop = np.asarray(crop, np.uint8).reshape(self.size, self.size, -1)
        if self.crops.person is not None and change.background and rng.random() < change.background:
            crop = self._before_another_background(index, crop, matrix, rng)
        crop = degraded(recoloured(crop, change, rng), change, rng)
        if not self.landmarks_known[index]:
            return crop, np.zeros_like(self.mean_shape)
        marks = align.transform(self.crops.landmarks[index] * self.size, matrix) / self.size
        marks = marks[self.swap] if mirrored else marks
        return crop, ((marks - self.mean_shape) / self.shape_sd).astype(np.float32)

    def _warped(self, picture: Picture, matrix: NDArray[np.float64]) -> Picture:
        size = (self.size, self.size)
        warped = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(warped, np.uint8)

    def _before_another_background(
        self, index: int, crop: Picture, matrix: NDArray[np.float64], rng: np.random.Generator
    ) -> Picture:
        """A warped crop with its background replaced; `matrix` is the warp."""
        assert self.crops.person is not None
        scale = self.crops.pixels.shape[1] / self.crops.person.shape[1]
        # pixel centres of the mask, in pixels of the crop without its padding
        to_crop = np.array([[scale, 0, (scale - 1) / 2], [0, scale, (scale - 1) / 2], [0, 0, 1]])
        to_crop[:2, 2] -= self.crops.pad
        person = self._warped(self.crops.person[index], matrix @ to_crop)
        other = int(rng.integers(len(self.crops.names)))
        masks: list[Floats] = [np.asarray(mask / 255, np.float32) for mask in (person, self.crops.person[other])]
        return replace_background(crop, masks[0], self.crops.pixels[other], masks[1], rng)

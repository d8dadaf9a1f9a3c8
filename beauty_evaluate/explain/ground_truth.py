"""Explanations against the truth: synthetic faces, whose score follows a known rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig
from beauty_evaluate.datasets import synthetic
from beauty_evaluate.datasets.dataset import Sample
from beauty_evaluate.explain.region_shapley import Progress, region_effects
from beauty_evaluate.explain.sample_faces import find_sample_faces
from beauty_evaluate.faces.align import crop_matrix
from beauty_evaluate.faces.regions import Masks
from beauty_evaluate.raters.rater import Rater, crop_config

Doubles = NDArray[np.float64]

# Where two of the faces differ in what a pixel shows, the region that comes first has it.
REGIONS = ("eyes", "brows", "nose", "mouth", "jaw", "cheeks", "hair", "background")
EYES, JAW = REGIONS.index("eyes"), REGIONS.index("jaw")
WIDENING_SHARE = 0.03  # of the side, by which a region is widened: an eye's outline must lie inside, not on the edge
DONORS = 8  # faces whose regions stand in for those of a face
CLEAR_MARGIN_POINTS = 0.25  # by which the rule must set one region before the others, about what such networks err
REQUIRED_SHARE = 0.95  # of the clear faces, on which the rater must put the same region first
MIN_CLEAR_FACES = 30  # that each of the two terms must drive: of those drawn at random the eyes drive most


@dataclass(frozen=True)
class GroundTruth:
    """Effects of REGIONS on N faces, by the rule that scored them and by a rater.

    Attributes:
        rule: float64 (N, R), rating points, by the rule.
        effects: float64 (N, R), in the rater.
        drawn: how many faces, the first, were drawn at random; the others because the eyes do not drive them.
    """

    rule: Doubles
    effects: Doubles
    drawn: int

    @property
    def clear(self) -> NDArray[np.bool_]:
        """Faces (N,) on which the rule sets one region before all others by CLEAR_MARGIN_POINTS or more."""
        return _clear(self.rule)

    @property
    def drivers(self) -> NDArray[np.int64]:
        """The region (N,) that the rule sets first."""
        return np.asarray(np.abs(self.rule).argmax(1))

    @property
    def first(self) -> NDArray[np.bool_]:
        """Faces (N,) on which the region with the largest effect is that of the rule, and moves the score its way."""
        faces, drivers = np.arange(len(self.rule)), self.drivers
        same = np.abs(self.effects).argmax(1) == drivers
        return np.asarray(same & (self.rule[faces, drivers] * self.effects[faces, drivers] > 0))

    def rows(self) -> dict[str, tuple[int, float, float]]:
        """By kind of faces, of those there are: their number, the share on which the rater puts the rule's region
        first, and that of who always says `eyes`."""
        drawn = np.arange(len(self.rule)) < self.drawn
        driven = {f"clear ones, driven by the {REGIONS[r]}": self.clear & (self.drivers == r) for r in (EYES, JAW)}
        kinds = {"clear ones": self.clear & drawn, "all": drawn, **driven}
        eyes = self.drivers == EYES
        return {
            title: (int(faces.sum()), float(self.first[faces].mean()), float(eyes[faces].mean()))
            for title, faces in kinds.items()
            if faces.any()
        }


def _clear(rule: Doubles) -> NDArray[np.bool_]:
    largest = np.sort(np.abs(rule), 1)
    return np.asarray(largest[:, -1] - largest[:, -2] >= CLEAR_MARGIN_POINTS)


def compare_with_rule(rater: Rater, n: int, progress: Progress | None = None) -> GroundTruth:
    """Effects of regions on synthetic faces that no training has seen, beside those of the rule that scored them.

    A region is replaced by that of DONORS other faces. The rule is a sum, so that its own Shapley values are then
    known: each term less its mean over the donors. (Of a face without eyes, or with a flat colour for them, it says
    nothing.) A region is wherever any of these faces has it: within its own outline an eye could not change its size.

    Args:
        rater: any that has learnt the rule.
        n: faces drawn at random; more follow until eyes and jaw clearly drive MIN_CLEAR_FACES or more.
        progress: called with the faces done, and how many there are.
    """
    donor_terms = np.array([_terms(2, i) for i in range(DONORS)])
    picks = _picks(n, donor_terms.mean(0))
    samples, terms = _synthetic(1, picks), np.array([_terms(1, i) for i in picks])
    donor_samples = _synthetic(2, range(DONORS))
    masks = _masks([*samples, *donor_samples], crop_config(rater))
    faces, donors = find_sample_faces(rater, samples).faces, find_sample_faces(rater, donor_samples).faces
    rule = np.zeros((len(faces), len(REGIONS)))
    rule[:, [EYES, JAW]] = terms - donor_terms.mean(0)
    effects = []
    for i, face in enumerate(faces):
        effects.append(region_effects(rater, face, masks, REGIONS, donors).effects)
        if progress:
            progress(i + 1, len(faces))
    return GroundTruth(rule, np.array(effects), n)


def _picks(n: int, usual: Doubles) -> list[int]:
    """The first `n` faces, and more until each term clearly drives MIN_CLEAR_FACES. usual: the terms' means, (2,)."""
    picks: list[int] = []
    driven = [0, 0]
    for i in count():
        rule = _terms(1, i) - usual
        driver, clear = int(np.abs(rule).argmax()), bool(_clear(rule[None])[0])
        if i < n or (clear and driven[driver] < MIN_CLEAR_FACES):
            picks.append(i)
            driven[driver] += clear
        if i >= n - 1 and min(driven) >= MIN_CLEAR_FACES:
            break
    return picks


def _terms(seed: int, i: int) -> Doubles:
    """What eyes and jaw add to the score of a synthetic face, (2,): its sizes are what is drawn first."""
    return np.asarray(np.random.default_rng((seed, i)).uniform(-1, 1, 2) * [synthetic.EYES, synthetic.JAW])


def _synthetic(seed: int, picks: Sequence[int]) -> list[Sample]:
    """Synthetic faces, which follow the rule."""
    samples = [synthetic.draw_face(f"drawn{i:05d}.png", np.random.default_rng((seed, i))) for i in picks]
    assert all(np.isclose(3 + _terms(seed, i).sum(), s.score) for i, s in zip(picks, samples, strict=True))
    return samples


def _masks(samples: Sequence[Sample], config: CropConfig) -> Masks:
    """Masks of REGIONS on the crops of these faces, whose points all lie alike."""
    size = config.size
    matrix = crop_matrix(np.asarray(samples[0].points), config)
    reach = round(WIDENING_SHARE * size)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    free, masks = np.ones((size, size), bool), []
    for name in REGIONS:
        anywhere = np.any([(sample.regions or {})[name] for sample in samples], 0).astype(np.uint8)
        place = cv2.warpAffine(anywhere, matrix, (size, size), flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        mask = free if name == REGIONS[-1] else free & (cv2.dilate(place, kernel) > 0)
        masks.append(mask)
        free = free & ~mask
    return np.stack(masks)

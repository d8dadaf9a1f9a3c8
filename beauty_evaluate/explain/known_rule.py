"""Explanations against the truth: drawn faces, whose score follows a known rule."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig
from beauty_evaluate.data import synthetic
from beauty_evaluate.data.pipeline import load_crops
from beauty_evaluate.data.sample import Sample
from beauty_evaluate.explain.region_shapley import Masks, Progress, region_effects
from beauty_evaluate.faces.align import crop_matrix
from beauty_evaluate.metrics import mae, pearson
from beauty_evaluate.models.runtime import Forward

Doubles = NDArray[np.float64]

# Where two of the faces differ in what a pixel shows, the region that comes first has it.
REGIONS = ("eyes", "brows", "nose", "mouth", "jaw", "cheeks", "hair", "background")
EYES, JAW = REGIONS.index("eyes"), REGIONS.index("jaw")
WIDER = 0.03  # how far a region is widened, as a share of the side: an eye's outline must lie inside, not on the edge
OTHERS = 8  # faces whose regions stand in for those of a face
CLEAR = 0.25  # rating points by which the rule must set one region before the others, about what such networks err
WANTED = 0.95  # share of clear faces on which the network must put the same region first


@dataclass(frozen=True)
class Truth:
    """Effects of REGIONS on N faces, float64 (N, R), rating points: by the rule that scored them, and in a network."""

    rule: Doubles
    found: Doubles

    @property
    def clear(self) -> NDArray[np.bool_]:
        """Faces (N,) on which the rule sets one region before all others by CLEAR or more."""
        largest = np.sort(np.abs(self.rule), 1)
        return np.asarray(largest[:, -1] - largest[:, -2] >= CLEAR)

    @property
    def first(self) -> NDArray[np.bool_]:
        """Faces (N,) on which the region with the largest effect is that of the rule, and moves the score its way."""
        faces, drivers = np.arange(len(self.rule)), np.abs(self.rule).argmax(1)
        same = np.abs(self.found).argmax(1) == drivers
        return np.asarray(same & (self.rule[faces, drivers] * self.found[faces, drivers] > 0))

    @property
    def eyes_first(self) -> NDArray[np.bool_]:
        """Faces (N,) on which it is enough to say `eyes`: what there is to beat."""
        return np.asarray(np.abs(self.rule).argmax(1) == EYES)


def drawn_truth(
    forward: Forward, config: CropConfig, mirror_average: bool, n: int, progress: Progress | None = None
) -> Truth:
    """Effects of regions on `n` drawn faces that no training has seen: the network's, and those of the rule.

    A region is replaced by that of OTHERS other faces. The rule is a sum, so that its own Shapley values are then
    known: each term less its mean over the others. (Of a face without eyes, or with a flat colour for them, it says
    nothing.) A region is wherever any of these faces has it: within its own outline an eye could not change its size.
    """
    faces, terms = _drawn(n, 1)
    others, theirs = _drawn(OTHERS, 2)
    masks = _masks([*faces, *others], config)
    crops, fills = load_crops(faces, config).centre, load_crops(others, config).centre
    rule = np.zeros((n, len(REGIONS)))
    rule[:, [EYES, JAW]] = terms - theirs.mean(0)
    found = []
    for i, crop in enumerate(crops):
        found.append(region_effects(forward, crop, masks, REGIONS, mirror_average, list(fills)).effects)
        if progress:
            progress(i + 1, n)
    return Truth(rule, np.array(found))


def truth_markdown(truth: Truth) -> str:
    """What came first how often, and how well the effects follow the rule's."""
    clear, everyone = truth.clear, np.ones(len(truth.rule), bool)
    lines = [
        f"{len(truth.rule)} drawn faces that no training has seen; score = 3 + {synthetic.EYES} eye size + "
        f"{synthetic.JAW} jaw width, and nothing else. Each region is replaced by that of {OTHERS} other faces; then "
        "the effects by the rule are known. Asked is whether the region with the largest effect in the network is that "
        f"of the rule and moves the score the same way, on faces where the rule sets it {CLEAR} points or more before "
        f"all others; wanted is {WANTED:.0%}.",
        "",
        "| Faces | n | The rule's region comes first | Always saying `eyes` |",
        "| --- | ---: | ---: | ---: |",
    ]
    for title, own in (("clear ones", clear), ("all", everyone)):
        if own.any():
            lines.append(
                f"| {title} | {own.sum()} | {truth.first[own].mean():.1%} | {truth.eyes_first[own].mean():.1%} |"
            )
    lines += ["", "| Region | Mean absolute effect by the rule | In the network | Mean difference | Correlation |"]
    lines += ["| --- | ---: | ---: | ---: | ---: |"]
    for r, name in enumerate(REGIONS):
        rule, found = truth.rule[:, r], truth.found[:, r]
        follows = f"{pearson(found, rule):.3f}" if rule.any() else "-"
        sizes = f"{np.abs(rule).mean():.3f} | {np.abs(found).mean():.3f} | {mae(found, rule):.3f}"
        lines.append(f"| {name} | {sizes} | {follows} |")
    return "\n".join(lines)


def _drawn(n: int, seed: int) -> tuple[list[Sample], Doubles]:
    """Drawn faces, and what eyes and jaw add to the score of each, (n, 2)."""
    samples = list(synthetic.draw(n, seed).samples.values())
    sizes = np.array([np.random.default_rng((seed, i)).uniform(-1, 1, 2) for i in range(n)])  # what is drawn first
    terms = sizes * [synthetic.EYES, synthetic.JAW]
    assert np.allclose(3 + terms.sum(1), [sample.score for sample in samples])
    return samples, terms


def _masks(samples: Sequence[Sample], config: CropConfig) -> Masks:
    """Masks of REGIONS on the crops of these faces, whose points all lie alike."""
    size = config.size
    matrix = crop_matrix(np.asarray(samples[0].points), config)
    reach = round(WIDER * size)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    free, masks = np.ones((size, size), bool), []
    for name in REGIONS:
        anywhere = np.any([(sample.regions or {})[name] for sample in samples], 0).astype(np.uint8)
        place = cv2.warpAffine(anywhere, matrix, (size, size), flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        own = free if name == REGIONS[-1] else free & (cv2.dilate(place, kernel) > 0)
        masks.append(own)
        free = free & ~own
    return np.stack(masks)

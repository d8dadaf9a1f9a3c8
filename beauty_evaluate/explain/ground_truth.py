"""Explanations against the truth: drawn faces, whose score follows a known rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig
from beauty_evaluate.datasets import synthetic
from beauty_evaluate.datasets.dataset import Sample
from beauty_evaluate.datasets.pipeline import load_crops
from beauty_evaluate.explain.region_shapley import Masks, Progress, region_effects
from beauty_evaluate.faces.align import crop_matrix
from beauty_evaluate.metrics import mae, pearson
from beauty_evaluate.raters.runtime import PredictFn

Doubles = NDArray[np.float64]

# Where two of the faces differ in what a pixel shows, the region that comes first has it.
REGIONS = ("eyes", "brows", "nose", "mouth", "jaw", "cheeks", "hair", "background")
EYES, JAW = REGIONS.index("eyes"), REGIONS.index("jaw")
WIDER = 0.03  # how far a region is widened, as a share of the side: an eye's outline must lie inside, not on the edge
OTHERS = 8  # faces whose regions stand in for those of a face
CLEAR = 0.25  # rating points by which the rule must set one region before the others, about what such networks err
WANTED = 0.95  # share of clear faces on which the network must put the same region first
EACH = 30  # clear faces that each of the two terms must drive: of those drawn by lot the eyes drive most


@dataclass(frozen=True)
class GroundTruth:
    """Effects of REGIONS on N faces, float64 (N, R), rating points: by the rule that scored them, and in a network.
    lot: how many of them, the first, were drawn by lot; the others because the eyes are not what drives them."""

    rule: Doubles
    found: Doubles
    lot: int

    @property
    def clear(self) -> NDArray[np.bool_]:
        """Faces (N,) on which the rule sets one region before all others by CLEAR or more."""
        return _clear(self.rule)

    @property
    def drivers(self) -> NDArray[np.int64]:
        """The region (N,) that the rule sets first."""
        return np.asarray(np.abs(self.rule).argmax(1))

    @property
    def first(self) -> NDArray[np.bool_]:
        """Faces (N,) on which the region with the largest effect is that of the rule, and moves the score its way."""
        faces, drivers = np.arange(len(self.rule)), self.drivers
        same = np.abs(self.found).argmax(1) == drivers
        return np.asarray(same & (self.rule[faces, drivers] * self.found[faces, drivers] > 0))

    def rows(self) -> dict[str, tuple[int, float, float]]:
        """By kind of faces their number, the share on which the network puts the rule's region first, and that of who
        always says `eyes`; of kinds that are there."""
        by_lot = np.arange(len(self.rule)) < self.lot
        driven = {f"clear ones, driven by the {REGIONS[r]}": self.clear & (self.drivers == r) for r in (EYES, JAW)}
        kinds = {"clear ones": self.clear & by_lot, "all": by_lot, **driven}
        eyes = self.drivers == EYES
        return {
            title: (int(own.sum()), float(self.first[own].mean()), float(eyes[own].mean()))
            for title, own in kinds.items()
            if own.any()
        }


def _clear(rule: Doubles) -> NDArray[np.bool_]:
    largest = np.sort(np.abs(rule), 1)
    return np.asarray(largest[:, -1] - largest[:, -2] >= CLEAR)


def drawn_truth(
    forward: PredictFn, config: CropConfig, flip_tta: bool, n: int, progress: Progress | None = None
) -> GroundTruth:
    """Effects of regions on `n` drawn faces that no training has seen, and on as many more as it takes until eyes and
    jaw clearly drive EACH or more: the network's, and those of the rule.

    A region is replaced by that of OTHERS other faces. The rule is a sum, so that its own Shapley values are then
    known: each term less its mean over the others. (Of a face without eyes, or with a flat colour for them, it says
    nothing.) A region is wherever any of these faces has it: within its own outline an eye could not change its size.
    """
    theirs = np.array([_terms(2, i) for i in range(OTHERS)])
    picks = _picks(n, theirs.mean(0))
    faces, terms = _drawn(1, picks), np.array([_terms(1, i) for i in picks])
    others = _drawn(2, range(OTHERS))
    masks = _masks([*faces, *others], config)
    crops, fills = load_crops(faces, config).centre, load_crops(others, config).centre
    rule = np.zeros((len(faces), len(REGIONS)))
    rule[:, [EYES, JAW]] = terms - theirs.mean(0)
    found = []
    for i, crop in enumerate(crops):
        found.append(region_effects(forward, crop, masks, REGIONS, flip_tta, list(fills)).effects)
        if progress:
            progress(i + 1, len(faces))
    return GroundTruth(rule, np.array(found), n)


def _picks(n: int, usual: Doubles) -> list[int]:
    """The first `n` faces, and further ones until each term clearly drives EACH. usual: the terms' means, (2,)."""
    picks: list[int] = []
    driven = [0, 0]
    for i in count():
        rule = _terms(1, i) - usual
        driver, clear = int(np.abs(rule).argmax()), bool(_clear(rule[None])[0])
        if i < n or (clear and driven[driver] < EACH):
            picks.append(i)
            driven[driver] += clear
        if i >= n - 1 and min(driven) >= EACH:
            break
    return picks


def truth_markdown(truth: GroundTruth) -> str:
    """What came first how often, and how well the effects follow the rule's."""
    lines = [
        f"{truth.lot} drawn faces that no training has seen; score = 3 + {synthetic.EYES} eye size + "
        f"{synthetic.JAW} jaw width, and nothing else. Each region is replaced by that of {OTHERS} other faces; then "
        "the effects by the rule are known. Asked is whether the region with the largest effect in the network is that "
        f"of the rule and moves the score the same way, on faces where the rule sets it {CLEAR} points or more before "
        f"all others; wanted is {WANTED:.0%}. The eyes drive most faces, so that always saying `eyes` does well: more "
        f"were drawn until the jaw clearly drives {EACH} too.",
        "",
        "| Faces | n | The rule's region comes first | Always saying `eyes` |",
        "| --- | ---: | ---: | ---: |",
    ]
    for title, (n, first, eyes) in truth.rows().items():
        lines.append(f"| {title} | {n} | {first:.1%} | {eyes:.1%} |")
    lines += ["", "| Region | Mean absolute effect by the rule | In the network | Mean difference | Correlation |"]
    lines += ["| --- | ---: | ---: | ---: | ---: |"]
    for r, name in enumerate(REGIONS):
        rule, found = truth.rule[: truth.lot, r], truth.found[: truth.lot, r]
        follows = f"{pearson(found, rule):.3f}" if rule.any() else "-"
        sizes = f"{np.abs(rule).mean():.3f} | {np.abs(found).mean():.3f} | {mae(found, rule):.3f}"
        lines.append(f"| {name} | {sizes} | {follows} |")
    return "\n".join(lines)


def _terms(seed: int, i: int) -> Doubles:
    """What eyes and jaw add to the score of a drawn face, (2,): its sizes are what is drawn first."""
    return np.asarray(np.random.default_rng((seed, i)).uniform(-1, 1, 2) * [synthetic.EYES, synthetic.JAW])


def _drawn(seed: int, picks: Sequence[int]) -> list[Sample]:
    """Drawn faces, which follow the rule."""
    samples = [synthetic.draw_face(f"drawn{i:05d}.png", np.random.default_rng((seed, i))) for i in picks]
    assert all(np.isclose(3 + _terms(seed, i).sum(), s.score) for i, s in zip(picks, samples, strict=True))
    return samples


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

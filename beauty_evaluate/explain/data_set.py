"""What moves scores over a data set: effects of regions on many faces, what is lost without them, and filters."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import cores
from beauty_evaluate.datasets import scut
from beauty_evaluate.datasets.dataset import DataSet, Problem
from beauty_evaluate.errors import DataError
from beauty_evaluate.explain.baselines import soft_edges
from beauty_evaluate.explain.job import check_regions
from beauty_evaluate.explain.region_shapley import Progress, RegionEffects, region_effects
from beauty_evaluate.explain.region_tables import (
    MIN_FACES,
    EffectRow,
    PermutedRow,
    baseline_agreement,
    effect_rows,
    permuted,
)
from beauty_evaluate.explain.reliability import BaselineAgreement
from beauty_evaluate.explain.sample_faces import SampleFaces, draw_samples, find_sample_faces
from beauty_evaluate.faces.align import crop_matrix, transform
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.faces.landmarks import landmarks
from beauty_evaluate.faces.regions import NAMES, Masks, hand_distance, regions
from beauty_evaluate.raters.network import NetworkRater
from beauty_evaluate.raters.rater import Rater, crop_config

if TYPE_CHECKING:  # it needs Keras, which other raters do without
    from beauty_evaluate.explain.filter_table import FilterTable

DONORS = 2  # faces of any group, drawn at random, whose regions stand in for those of a face


@dataclass(frozen=True)
class DataSetExplanation:
    """What moves the scores of a rater over photos of a data set.

    Attributes:
        rater: its name.
        photos: number of faces.
        reference: mean score with all regions inpainted, rating points.
        inpaint_rows: effects against the mean colour around a region.
        donor_rows: effects against the regions of DONORS other faces.
        agreement: of the two.
        permuted: what is lost when a region comes from another face.
        covered: float64 (R,), share of each region that is replaced, which soft edges leave to depend on its shape.
        landmark_distances: median distance of the landmarks of each face from those set by hand, as shares of the eye
            distance; empty where there are none.
        filters: of a network; None for another rater.
        faces: the faces, for pictures of them.
        problems: photos that gave no face.
    """

    rater: str
    photos: int
    reference: float
    inpaint_rows: list[EffectRow]
    donor_rows: list[EffectRow]
    agreement: BaselineAgreement
    permuted: list[PermutedRow]
    covered: NDArray[np.float64]
    landmark_distances: NDArray[np.float64]
    filters: "FilterTable | None"
    faces: tuple[Face, ...]
    problems: tuple[Problem, ...]


def explain_data_set(
    rater: Rater,
    data: DataSet,
    names: Sequence[str],
    n: int,
    layer: str | None = None,
    progress: Progress | None = None,
) -> DataSetExplanation:
    """Explain a rater over photos that it has not learnt from.

    Args:
        rater: any that sees aligned crops.
        data: the data set.
        names: its photos to draw from.
        n: how many to draw.
        layer: whose filters are described (default: the last convolution), of a network.
        progress: called with the faces done, and how many there are.

    Raises:
        ConfigError: a rater of whole pictures, or no such layer.
        DataError: fewer than MIN_FACES faces.
    """
    check_regions(rater)
    if layer or isinstance(rater, NetworkRater):
        from beauty_evaluate.explain.filter_table import check_layer  # it needs Keras

        layer = check_layer(rater, layer)  # now, not after an hour
    drawn = find_sample_faces(rater, draw_samples([data.samples[name] for name in names], n))
    faces = drawn.faces
    if len(faces) < MIN_FACES:
        raise DataError(f"Expected {MIN_FACES} photos with a face or more. Received: {len(faces)}.")
    config = crop_config(rater)
    masks = [regions(face.crop(config), config) for face in faces]
    inpainted, donated = _effects(rater, faces, masks, progress)
    groups = [sample.group for sample in drawn.samples]
    labels = np.array([sample.score for sample in drawn.samples])
    return DataSetExplanation(
        rater.name, len(faces), float(np.mean([effects.reference for effects in inpainted])),
        effect_rows(inpainted, groups), effect_rows(donated, groups), baseline_agreement(inpainted, donated),
        permuted(rater, faces, masks, NAMES, labels), _covered(masks), _landmark_distances(rater, data, drawn),
        _filters(rater, faces, masks, layer), faces, drawn.problems,
    )  # fmt: skip


def _effects(
    rater: Rater, faces: Sequence[Face], masks: Sequence[Masks], progress: Progress | None
) -> tuple[list[RegionEffects], list[RegionEffects]]:
    """The effects on each face against the mean colour around a region, and against those of other faces."""
    numbers = np.arange(len(faces))
    rng = np.random.default_rng(0)
    picks = [rng.permutation(np.delete(numbers, i))[:DONORS] for i in numbers]

    def explain_both(i: int) -> tuple[RegionEffects, RegionEffects]:
        donors = [faces[k] for k in picks[i]]
        inpainted = region_effects(rater, faces[i], masks[i], NAMES)
        return inpainted, region_effects(rater, faces[i], masks[i], NAMES, donors)

    pairs = []
    with ThreadPoolExecutor(cores()) as pool:  # a face on each core takes less than one on all of them
        for pair in pool.map(explain_both, numbers):
            pairs.append(pair)
            if progress:
                progress(len(pairs), len(faces))
    return [inpainted for inpainted, _ in pairs], [donated for _, donated in pairs]


def _covered(masks: Sequence[Masks]) -> NDArray[np.float64]:
    shares = [[soft_edges(tiles)[mask].mean() if mask.any() else np.nan for mask in tiles] for tiles in masks]
    return np.asarray(np.nanmean(np.array(shares), 0), np.float64)


def _landmark_distances(rater: Rater, data: DataSet, drawn: SampleFaces) -> NDArray[np.float64]:
    """Of the scheme that `hand_distance` knows."""
    if data.landmark_scheme != scut.LANDMARKS:
        return np.empty(0)
    config, medians = crop_config(rater), []
    for sample, face in zip(drawn.samples, drawn.faces, strict=True):
        if sample.landmarks is not None:
            hand = transform(sample.landmarks, crop_matrix(face.points, config))
            medians.append(np.median(hand_distance(landmarks(face.crop(config), config), hand)))
    return np.array(medians)


def _filters(rater: Rater, faces: Sequence[Face], masks: Sequence[Masks], layer: str | None) -> "FilterTable | None":
    if not isinstance(rater, NetworkRater):
        return None
    from beauty_evaluate.explain.filter_table import filter_table

    return filter_table(rater, faces, masks, layer)

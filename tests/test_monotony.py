"""A worse copy of a photo does not score higher; company and runtime move no score. benchmarks/monotony.py has more."""

import sys
from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
from conftest import PORTRAIT, PORTRAIT_PNG, ROOT

from beauty_evaluate import images
from beauty_evaluate.datasets import london
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.images import Picture
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.rater import Rater

sys.path.insert(0, str(ROOT / "benchmarks"))
from monotony import EXACT, LIMIT, compressed, faces_of, noisier, scores_of  # type: ignore[import-not-found]

PHOTOS = 10  # of the London set


@pytest.fixture(scope="module")
def rater() -> Rater:
    return registry.load(runtime="onnxruntime")


@pytest.fixture(scope="module")
def photos() -> list[Picture]:
    """Good ones: the examples, and some of the London set from its beginning to its end."""
    samples = list(london.read().samples.values())
    return [images.read(path) for path in (PORTRAIT, PORTRAIT_PNG)] + [
        sample.read() for sample in samples[:: len(samples) // PHOTOS]
    ]


@pytest.fixture(scope="module")
def faces(photos: list[Picture], rater: Rater) -> list[Face]:
    faces = faces_of(photos, rater)
    assert None not in faces
    return [face for face in faces if face]


# What holds; darker copies score up to .11 higher, blurred ones up to .43 (benchmarks/monotony.md).
@pytest.mark.parametrize(
    "change",
    [noisier(8), noisier(16), compressed(70), compressed(50), compressed(30), compressed(10)],
    ids=["noisier 8", "noisier 16", "compressed 70", "compressed 50", "compressed 30", "compressed 10"],
)
def test_worse_copies_do_not_score_higher(
    photos: list[Picture], faces: list[Face], rater: Rater, change: Callable[[Picture], Picture]
) -> None:
    copies = [change(photo) for photo in photos]
    assert all((copy != photo).any() for copy, photo in zip(copies, photos, strict=True))
    rise = scores_of(faces_of(copies, rater), rater) - scores_of(faces, rater)
    assert np.isfinite(rise).all()
    assert rise.mean() <= LIMIT


@pytest.mark.parametrize("runtime", ["opencv", "onnxruntime", "keras"])
def test_company_order_and_runtime_move_no_score(faces: list[Face], rater: Rater, runtime: str) -> None:
    same = registry.of_card(rater.card, runtime)  # type: ignore[arg-type]
    alone = np.array([rater.rate([face]).mean[0] for face in faces])
    for count in (1, 3, 5, len(faces)):
        assert same.rate(faces[:count]).mean == pytest.approx(alone[:count], abs=EXACT)
    for order in list(permutations(range(5)))[7::60]:
        ratings = same.rate([faces[i] for i in order])
        assert ratings.mean == pytest.approx(alone[list(order)], abs=EXACT)

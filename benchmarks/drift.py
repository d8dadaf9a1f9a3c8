"""How far scores drift when a photo is saved, cut or shot another way, and which warnings bad photos get: drift.md.

python benchmarks/drift.py --data SCUT-FBP5500 --wild MEBeauty [--n 300] [--weights six_block_60-40]
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.cli.common import Counter
from beauty_evaluate.datasets.background import replace_background
from beauty_evaluate.datasets.crops import load_crops
from beauty_evaluate.datasets.dataset import Sample
from beauty_evaluate.datasets.registry import read as read_data_set
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.evaluation.evaluate import assert_no_leakage
from beauty_evaluate.faces.detect import Face, find_faces, main_face
from beauty_evaluate.faces.landmarks import person_mask
from beauty_evaluate.faces.quality import Quality, quality
from beauty_evaluate.images import Picture
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.rater import Rater, crop_config

FACE = 180  # pixels: the median width of a face in SCUT-FBP5500's photos
WORDS = ("small", "blurred", "dark", "bright", "grey", "turned", "unsure")


def resized(share: float, wide: float = 1.0) -> Callable[[Picture], Picture]:
    return lambda photo: cv2.resize(photo, None, fx=share * wide, fy=share, interpolation=cv2.INTER_AREA)


def blurred(sigma: float) -> Callable[[Picture], Picture]:
    return lambda photo: cv2.GaussianBlur(photo, (0, 0), sigma)


def lit(gain: float) -> Callable[[Picture], Picture]:
    return lambda photo: np.clip(photo * gain, 0, 255).astype(np.uint8)


def jpeg(level: int) -> Callable[[Picture], Picture]:
    """OpenCV's channels are the other way round, and JPEG does not treat them alike."""

    def change(photo: Picture) -> Picture:
        data = cv2.imencode(".jpg", photo[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, level])[1]
        return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1], np.uint8)

    return change


def grey(photo: Picture) -> Picture:
    return np.repeat(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def shifted(share: float) -> Callable[[Picture], Picture]:
    """Moved to the right and down, its border repeated."""

    def change(photo: Picture) -> Picture:
        down, right = (round(share * side) for side in photo.shape[:2])
        whole = cv2.copyMakeBorder(photo, down, 0, right, 0, cv2.BORDER_REPLICATE)
        return np.asarray(whole[: len(photo), : photo.shape[1]], np.uint8)

    return change


def bordered(share: float) -> Callable[[Picture], Picture]:
    """With a wider margin, of one colour, or a narrower one."""

    def change(photo: Picture) -> Picture:
        y, x = (round(abs(share) * side) for side in photo.shape[:2])
        if share < 0:
            return photo[y : len(photo) - y, x : photo.shape[1] - x]
        return np.asarray(cv2.copyMakeBorder(photo, y, y, x, x, cv2.BORDER_CONSTANT, value=(255, 255, 255)), np.uint8)

    return change


MILD: dict[str, Callable[[Picture], Picture]] = {
    "as it is": lambda photo: photo,
    "mirrored": lambda photo: np.ascontiguousarray(photo[:, ::-1]),
    "half the size": resized(0.5),
    "JPEG quality 70": jpeg(70),
    "shifted by 5 %": shifted(0.05),
    "with a white margin of 15 %": bordered(0.15),
    "cut by 4 % on each side": bordered(-0.04),
}
BAD: dict[str, Callable[[Picture], Picture]] = {
    "as it is": lambda photo: photo,
    **{f"face about {side} pixels wide": resized(side / FACE) for side in (120, 90, 60, 40, 25)},
    **{f"blurred, sigma {sigma} pixels": blurred(sigma) for sigma in (1, 2, 3, 4, 6, 8)},
    **{f"{gain} of the light": lit(gain) for gain in (0.6, 0.4, 0.25, 0.15)},
    **{f"{gain} times the light": lit(gain) for gain in (1.3, 1.6, 2.0)},
    "grey": grey,
    **{f"{share} of the width": resized(1, share) for share in (0.9, 0.8, 0.7, 0.5)},
    **{f"JPEG quality {level}": jpeg(level) for level in (30, 10)},
}


DOUBTFUL = [title for title in BAD if title.startswith(("face about", "blurred", "0.", "JPEG"))]


def measured(photos: Sequence[Picture], rater: Rater) -> list[tuple[float, Quality] | None]:
    """Score and quality of the main face of each photo; None where no face is found."""
    config = crop_config(rater)
    faces: list[Face | None] = []
    for photo in photos:
        try:
            faces.append(main_face(find_faces(photo, config)))
        except PhotoError:
            faces.append(None)
    there = [face for face in faces if face]
    scores = iter(rater.rate(there).mean if there else ())
    return [(float(next(scores)), quality(face, config)) if face else None for face in faces]


def drift_table(photos: Sequence[Picture], rater: Rater, cases: dict[str, Callable[[Picture], Picture]]) -> str:
    """How the scores of each case differ from those of the photos as they are, and the warnings given."""
    lines = [
        f"| Photos | Found | Mean absolute drift | Mean drift | Above .1 | {' | '.join(WORDS)} |",
        f"| --- | ---: | ---: | ---: | ---: |{' ---: |' * len(WORDS)}",
    ]
    first: list[tuple[float, Quality] | None] = []
    count = Counter("changing photos")
    for i, (title, change) in enumerate(cases.items(), 1):
        changed = measured([change(photo) for photo in photos], rater)
        first = first or changed
        both = [(a[0], b[0], b[1]) for a, b in zip(first, changed, strict=True) if a and b]
        drift = np.array([after - before for before, after, _ in both])
        warned = [f"{np.mean([word in after.warnings() for _, _, after in both]):.0%}" for word in WORDS]
        size = np.abs(drift)
        cells = (
            f"{len(both)} | {size.mean():.3f} | {drift.mean():+.3f} | {(size > 0.1).mean():.0%} | {' | '.join(warned)}"
        )
        lines.append(f"| {title} | {cells} |")
        count(i, len(cases))
    return "\n".join(lines)


def sure_table(photos: Sequence[Picture], rater: Rater) -> str:
    """How far the scores of the photos made bad lie from those of the photos as they are, by the detector's confidence
    in the bad ones."""
    first = measured(photos, rater)
    pairs = [
        (after[1].confidence, abs(after[0] - before[0]))
        for title, change in BAD.items()
        if title in DOUBTFUL
        for before, after in zip(first, measured([change(photo) for photo in photos], rater), strict=True)
        if before and after
    ]
    sure, size = np.array(pairs).T
    lines = ["| Detector's confidence | Faces | Mean absolute drift | Above .1 |", "| --- | ---: | ---: | ---: |"]
    ends = (0, 0.8, 0.84, 0.88, 0.9, 0.92, 1.01)
    for low, high in pairwise(ends):
        faces = (sure >= low) & (sure < high)
        cells = f"{size[faces].mean():.3f} | {(size[faces] > 0.1).mean():.0%}" if faces.any() else "- | -"
        lines.append(f"| {low} to {min(high, 1)} | {faces.sum()} | {cells} |")
    return "\n".join(lines)


def turn_table(photos: Sequence[Picture], labels: Sequence[float], rater: Rater) -> str:
    """How far scores lie from the raters' by how far the head is turned: no picture can be turned afterwards."""
    faces = [(*face, label) for face, label in zip(measured(photos, rater), labels, strict=True) if face]
    turns = np.array([quality.turn for _, quality, _ in faces])
    errors = np.array([abs(score - label) for score, _, label in faces])
    lines = [
        "| Nose beside the middle of the eyes, eye distances | Photos | Mean absolute error |",
        "| --- | ---: | ---: |",
    ]
    for low, high in ((0, 0.05), (0.05, 0.1), (0.1, 0.15), (0.15, 0.2), (0.2, 9)):
        chosen = (turns >= low) & (turns < high)
        error = f"{errors[chosen].mean():.3f}" if chosen.any() else "-"
        lines.append(f"| {f'{low} to {high}' if high < 9 else f'{low} and more'} | {chosen.sum()} | {error} |")
    return "\n".join(lines)


def before_other_backgrounds(samples: Sequence[Sample], rater: Any) -> NDArray[np.float64]:
    """How far each score moves when the person stands before another background, rating points, float64 (N,)."""
    rng = np.random.default_rng(0)
    crops = list(load_crops(samples, crop_config(rater)).pixels)
    masks = [person_mask(crop) for crop in crops]
    changed = [
        replace_background(crop, mask, crops[i - 1], masks[i - 1], rng)
        for i, (crop, mask) in enumerate(zip(crops, masks, strict=True))
    ]
    return np.asarray(rater.predict(changed) - rater.predict(crops), np.float64)


def background_table(sets: Sequence[tuple[str, Sequence[Sample]]], rater: Rater) -> str:
    """The drift before other colours, gradients, noise, and other photos' backgrounds, data set by data set."""
    lines = ["| Photos | n | Mean absolute drift | Mean drift | Above .1 |", "| --- | ---: | ---: | ---: | ---: |"]
    for title, samples in sets:
        move = before_other_backgrounds(samples, rater)
        size = np.abs(move)
        lines.append(f"| {title} | {len(move)} | {size.mean():.3f} | {move.mean():+.3f} | {(size > 0.1).mean():.0%} |")
    return "\n".join(lines)


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--n", type=int, default=300)
    parser.add_argument("--weights", default=registry.EVALUATED)
    parser.add_argument("--wild", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=HERE / "drift.md")
    options = parser.parse_args()
    rater = registry.load(options.weights, "onnxruntime")
    data, wild = read_data_set(options.data), read_data_set(options.wild)
    names = data.split().test
    assert_no_leakage(rater.card, data, names)
    chosen = np.random.default_rng(0).choice(names, min(options.n, len(names)), replace=False)
    photos = {name: data.samples[name].read() for name in names}
    good = [photos[name] for name in chosen]
    unseen = wild.split().test
    assert_no_leakage(rater.card, wild, unseen)
    strangers = [wild.samples[name].read() for name in unseen[: options.n]]
    london = read_data_set()
    sets = [
        (data.title, [data.samples[name] for name in chosen]),
        (wild.title, [wild.samples[name] for name in unseen]),
        (london.title, [london.samples[name] for name in london.split().test]),
    ]
    parts = [
        "# How far scores drift",
        f"Scores of {rater.name}, in rating points; then the share of the faces that gets each warning.",
        f"{len(good)} test photos of {data.title}, drawn by lot, saved or cut another way:",
        drift_table(good, rater, MILD),
        f"The same for {len(strangers)} test photos of {wild.title}:",
        drift_table(strangers, rater, MILD),
        "The person before another background: one colour, a gradient, smooth noise, another photo's, its own blurred:",
        background_table(sets, rater),
        f"The photos of {data.title} made bad:",
        drift_table(good, rater, BAD),
        "All of those that are small, blurred, dark, narrow or saved badly, by how sure the detector is of them:",
        sure_table(good, rater),
        f"Heads that are turned, among all {len(names)} test photos:",
        turn_table(list(photos.values()), [data.samples[name].score for name in names], rater),
    ]
    text = "\n\n".join(parts)
    options.out.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()

"""Whether a worse copy of a good photo scores higher, and whether company or runtime moves a score: monotony.md.

python benchmarks/monotony.py [--n 100] [--weights six_block]
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import cv2
import numpy as np

from beauty_evaluate.cli.common import Counter
from beauty_evaluate.datasets import london
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.faces.detect import Face, find_faces, main_face
from beauty_evaluate.images import Picture
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.rater import Rater, crop_config
from beauty_evaluate.reporting.tables import table

LIMIT = 0.1  # rating points that a worse copy may score higher, on average
EXACT = 1e-5  # rating points that company in a batch may move a score

Change = Callable[[Picture], Picture]


def darker(gain: float) -> Change:
    return lambda photo: np.clip(photo * gain, 0, 255).astype(np.uint8)


def noisier(sigma: float) -> Change:
    """Grey levels of Gaussian noise in each channel, the same for every photo of a size."""

    def change(photo: Picture) -> Picture:
        noise = np.random.default_rng(0).normal(0, sigma, photo.shape)
        return np.clip(photo + noise, 0, 255).astype(np.uint8)

    return change


def blurrier(sigma: float) -> Change:
    """Pixels of a photo 400 pixels wide, and as much in proportion of others."""
    return lambda photo: np.asarray(cv2.GaussianBlur(photo, (0, 0), sigma * photo.shape[1] / 400), np.uint8)


def compressed(quality: int) -> Change:
    """OpenCV's channels are the other way round, and JPEG does not treat them alike."""

    def change(photo: Picture) -> Picture:
        data = cv2.imencode(".jpg", photo[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[:, :, ::-1], np.uint8)

    return change


CHANGES: dict[str, Change] = {
    **{f"darker: {gain} of the light": darker(gain) for gain in (0.8, 0.6, 0.4, 0.25)},
    **{f"noisier: sigma {sigma}": noisier(sigma) for sigma in (4, 8, 16, 32)},
    **{f"blurrier: sigma {sigma} of 400 pixels": blurrier(sigma) for sigma in (1, 2, 3, 4)},
    **{f"compressed: JPEG quality {quality}": compressed(quality) for quality in (70, 50, 30, 10)},
}


def faces_of(photos: Sequence[Picture], rater: Rater) -> list[Face | None]:
    """The main face of each photo, with its crop alone; None where none is found."""
    config = crop_config(rater)
    faces: list[Face | None] = []
    for photo in photos:
        try:
            faces.append(main_face(find_faces(photo, config)).without_photo(config))
        except PhotoError:
            faces.append(None)
    return faces


def scores_of(faces: Sequence[Face | None], rater: Rater) -> np.ndarray:
    """Rating points, NaN where there is no face."""
    scores = np.full(len(faces), np.nan)
    there = [i for i, face in enumerate(faces) if face]
    if there:
        scores[there] = rater.rate([face for face in faces if face]).mean
    return scores


def worse_table(photos: Sequence[Picture], rater: Rater) -> str:
    """How far each kind of worse copy scores above the photo itself."""
    before = scores_of(faces_of(photos, rater), rater)
    rows, count = [], Counter("making photos worse")
    for i, (title, change) in enumerate(CHANGES.items(), 1):
        after = scores_of(faces_of([change(photo) for photo in photos], rater), rater)
        rise = (after - before)[~np.isnan(after - before)]
        verdict = "yes" if rise.mean() <= LIMIT else "**no**"
        rows.append(
            (title, len(rise), f"{rise.mean():+.3f}", f"{(rise > LIMIT).mean():.0%}", f"{rise.max():+.2f}", verdict)
        )
        count(i, len(CHANGES))
    return table(("Copies", "Found", "Mean rise", f"Rise above {LIMIT}", "Largest rise", "Holds"), rows)


def company_table(photos: Sequence[Picture], rater: Rater) -> str:
    """How far a score moves with the photos beside it, and from one runtime to another."""
    faces = [face for face in faces_of(photos, rater) if face]
    alone: dict[str, np.ndarray] = {}
    rows = []
    for runtime in ("opencv", "onnxruntime", "keras"):
        same = registry.of_card(rater.card, runtime)
        alone[runtime] = np.concatenate([same.rate([face]).mean for face in faces])
        together, backwards = same.rate(faces).mean, same.rate(faces[::-1]).mean[::-1]
        moves = [np.abs(scores - alone[runtime]).max() for scores in (together, backwards)]
        across = np.abs(alone[runtime] - alone["opencv"]).max()
        rows.append((runtime, *(f"{move:.1e}" for move in (*moves, across))))
    return table(("Runtime", "All together", "In reverse", "From OpenCV's"), rows)


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=100)
    parser.add_argument("--weights", default=registry.DEFAULT)
    parser.add_argument("--out", type=Path, default=HERE / "monotony.md")
    options = parser.parse_args()
    rater = registry.load(options.weights, "onnxruntime")
    samples = list(london.read().samples.values())[: options.n]
    photos = [sample.read() for sample in samples]
    command = f"python benchmarks/monotony.py --n {options.n} --weights {options.weights}"
    parts = [
        "# Whether a worse copy of a photo scores higher",
        f"Scores of {rater.name} on {len(photos)} photos of the London set, in rating points, by `{command}`. The "
        f"faces are looked for again in each copy. A kind holds if its copies score no more than {LIMIT} higher on "
        "average. The London photos lie far from what the network has learnt from; on those that it knows, see "
        "[drift.md](drift.md).",
        worse_table(photos, rater),
        f"The largest change of a score of {min(16, len(photos))} of them when they are rated together instead of one "
        f"by one (at most {EXACT:.0e} is allowed), in reverse order, and with another runtime:",
        company_table(photos[:16], rater),
    ]
    text = "\n\n".join(parts)
    options.out.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()

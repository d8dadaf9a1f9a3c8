"""Whether each warning marks photos whose scores are further off, and from where on: warnings.md.

python benchmarks/face_warnings.py --data SCUT-FBP5500 --data MEBEAUTY --weights CARD.json

The photos are those that the network of CARD has held back of training parts (its table NAME_held_out.csv): no test
list is looked at. Those of the first data set are also made worse, one way after another; over every second photo of
the second set's training list, from which benchmarks/covered.py has not learnt, glasses, masks and hands are drawn.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

import covered
import cv2
import drift
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.cli.common import Counter
from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.datasets.registry import read as read_data_set
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.evaluation.evaluate import assert_no_leakage
from beauty_evaluate.evaluation.predictions import HeldOut, read_held_out
from beauty_evaluate.faces.align import crop_matrix, paste_aligned, transform
from beauty_evaluate.faces.detect import Face, find_faces, main_face
from beauty_evaluate.faces.quality import BOX_WEIGHT, THRESHOLDS, Quality, Thresholds
from beauty_evaluate.images import Picture
from beauty_evaluate.phrases import WARNINGS
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.rater import Rater, crop_config
from beauty_evaluate.reporting.tables import table

ENOUGH, RATIO = 30, 1.3  # marked photos, and their mean absolute error beside that of others, for a warning to stay
PHOTOS_PER_BATCH = 32
# The measurement behind a warning, whether too much or too little of it is bad, and its threshold.
SCALES = {
    "small": ("side", -1, "min_side"), "blurred": ("sharpness", -1, "min_sharpness"),
    "dark": ("light", -1, "min_light"), "bright": ("light", 1, "max_light"),
    "grey": ("colour", -1, "min_colour"), "turned": ("turn", 1, "max_turn"),
    "unsure": ("confidence", -1, "min_confidence"), "cut": ("outside", 1, "max_outside"),
    "stretched": ("width", 1, "max_stretch"), "narrow": ("width", -1, "min_stretch"),
    "covered": ("covered", 1, "max_covered"), "unusual": ("distance", 1, ""), "drawn": ("texture", -1, "min_texture"),
}  # fmt: skip
Change = Callable[[Picture, Face], Picture]


def cut(left: float, top: float) -> Change:
    """The photo without what is left of or above a part of the face's box; negative shares: right of, below."""

    def change(photo: Picture, face: Face) -> Picture:
        x, y, w, h = face.box
        across, down = slice(None), slice(None)
        if left:
            across = slice(max(0, int(x + left * w)), None) if left > 0 else slice(0, max(1, int(x + w + left * w)))
        if top:
            down = slice(max(0, int(y + top * h)), None) if top > 0 else slice(0, max(1, int(y + h + top * h)))
        return np.ascontiguousarray(photo[down, across])

    return change


def _plain(change: Callable[[Picture], Picture]) -> Change:
    return lambda photo, face: change(photo)


WORSE: dict[str, Change] = {
    "as it is": lambda photo, face: photo,
    **{title: _plain(drift.BAD[title]) for title in (
        "face about 60 pixels wide", "face about 40 pixels wide", "face about 25 pixels wide",
        "blurred, sigma 3 pixels", "blurred, sigma 6 pixels", "0.4 of the light", "0.25 of the light",
        "1.6 times the light", "2.0 times the light", "grey", "0.7 of the width", "0.5 of the width", "JPEG quality 10",
    )},
    **{f"{wide} times as wide": _plain(drift.resized(1, wide)) for wide in (1.3, 1.5)},
    "cut on the left": cut(0.2, 0), "cut on the right": cut(-0.2, 0),
    "cut above": cut(0, 0.2), "cut below": cut(0, -0.2),
}  # fmt: skip


@dataclass(frozen=True)
class Seen:
    """Photos of one pool, as they are or changed: labels, ratings and what was measured, (N,) each."""

    errors: NDArray[np.float64]
    measured: dict[str, NDArray[np.float64]]
    unusual: NDArray[np.bool_]

    def warned(self, word: str) -> NDArray[np.bool_]:
        if word == "unusual":
            return self.unusual
        names = [field.name for field in fields(Quality)]
        rows = zip(*(self.measured[name] for name in names), strict=True)
        return np.array([word in Quality(*map(float, row)).warnings() for row in rows])


def drawn_over(photo: Picture, face: Face, draw: covered.Draw, rng: np.random.Generator) -> Picture:
    """The photo with something drawn over the face."""
    points = transform(face.points, crop_matrix(face.points, covered.BASE))
    return np.asarray(paste_aligned(photo, draw(face.crop(covered.BASE), points, rng), face.points, covered.BASE))


def faces_of(data: DataSet, names: Sequence[str], kinds: dict[str, Change]) -> Iterator[tuple[float, Face]]:
    """The label of each photo and the main face of each of its versions that shows one."""
    count = Counter(f"changing photos of {data.title}")
    for i, name in enumerate(names, 1):
        sample = data.samples[name]
        photo = sample.read()
        try:
            first = main_face(find_faces(photo))
        except PhotoError:
            continue
        for change in kinds.values():
            try:
                face = main_face(find_faces(change(photo, first)))
            except (PhotoError, cv2.error):  # nothing is left of it
                continue
            yield sample.score, face
        count(i, len(names))


def seen(rater: Rater, data: DataSet, names: Sequence[str], kinds: dict[str, Change]) -> Seen:
    """Rate all versions of some photos."""
    scale_map = next(part.map for part in rater.card.trained_on if part.data_set == data.title)
    config, labels, batches, batch = crop_config(rater), list[float](), [], list[Face]()

    def rate() -> None:
        if batch:
            batches.append(rater.rate(batch))
            batch.clear()

    for label, face in faces_of(data, names, kinds):
        labels.append(scale_map.apply(label))
        batch.append(face.without_photo(config))
        if len(batch) == PHOTOS_PER_BATCH:
            rate()
    rate()
    measured = {key: np.concatenate([r.measured[key] for r in batches]) for key in batches[0].measured}
    measured["width"] = measured["stretch"] ** (1 - BOX_WEIGHT) * measured["shape"] ** BOX_WEIGHT
    unusual = np.concatenate([np.zeros(len(r.mean), bool) if r.unusual is None else r.unusual for r in batches])
    return Seen(np.abs(np.array(labels) - np.concatenate([r.mean for r in batches])), measured, unusual)


def ratio(pools: Sequence[Seen], marked: Sequence[NDArray[np.bool_]]) -> tuple[int, float]:
    """How many photos are marked, and their absolute errors beside what they were if each were as far off as the
    unmarked photos of its own pool: a warning gains nothing by marking photos of a data set that is harder as a whole.
    """
    observed, expected, count = 0.0, 0.0, 0
    for pool, chosen in zip(pools, marked, strict=True):
        if chosen.any() and not chosen.all():
            observed += float(pool.errors[chosen].sum())
            expected += float(chosen.sum() * pool.errors[~chosen].mean())
            count += int(chosen.sum())
    return count, observed / expected if expected else float("nan")


def word_rows(pools: dict[str, Seen]) -> list[tuple[object, ...]]:
    """A row for each warning: how many photos of each pool it marks, all of them, and the ratio."""
    rows: list[tuple[object, ...]] = []
    for word in WARNINGS:
        marked = [pool.warned(word) for pool in pools.values()]
        count, times = ratio(list(pools.values()), marked)
        verdict = "stays" if count >= ENOUGH and times >= RATIO else "goes" if count >= ENOUGH else "too few"
        rows.append((f"`{word}`", *(int(chosen.sum()) for chosen in marked), f"{times:.2f}", verdict))
    return rows


def threshold_rows(pools: dict[str, Seen]) -> list[tuple[object, ...]]:
    """For each measurement the threshold that marks most photos at a ratio of RATIO, and today's."""
    rows: list[tuple[object, ...]] = []
    for word, (name, sign, key) in SCALES.items():
        if any(name not in pool.measured for pool in pools.values()):
            continue
        every = np.concatenate([pool.measured[name] for pool in pools.values()])
        for share in (0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005):
            limit = float(np.quantile(sign * every, 1 - share))
            count, times = ratio(list(pools.values()), [sign * pool.measured[name] > limit for pool in pools.values()])
            if times >= RATIO and count >= ENOUGH:
                rows.append((word, name, f"{sign * limit:.4g}", _today(key), count, f"{times:.2f}"))
                break
        else:
            rows.append((word, name, "none", _today(key), "", ""))
    return rows


def _today(key: str, thresholds: Thresholds = THRESHOLDS) -> str:
    return f"{getattr(thresholds, key):g}" if key else "in the card"


def drawn_rows(rater: Rater, data: DataSet, names: Sequence[str]) -> list[tuple[object, ...]]:
    """How often `covered` is said of faces over which something was drawn, and of those as they are."""
    rng, rows = np.random.default_rng(1), []
    kinds: dict[str, Change] = {"as it is": WORSE["as it is"]}
    for kind, draw in covered.DRAWN.items():
        kinds[kind] = lambda photo, face, draw=draw: drawn_over(photo, face, draw, rng)  # type: ignore[misc]
    for kind, change in kinds.items():
        pool = seen(rater, data, names, {kind: change})
        marked = pool.warned("covered")
        rows.append((kind, len(marked), f"{marked.mean():.1%}", f"{pool.errors.mean():.3f}"))
    return rows


def _held_back(table: HeldOut, data: DataSet, most: int) -> list[str]:
    names = [name for name, title in zip(table.names, table.data_sets, strict=True) if title == data.title]
    assert_no_leakage(table.card, data, names)
    return names[:: max(1, round(len(names) / most))]


def main() -> None:
    """Write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True, help="twice: SCUT-FBP5500, MEBeauty")
    parser.add_argument("--weights", required=True, help="the card of a network with a table of held-back photos")
    parser.add_argument("--n", type=int, default=120, help="photos that are made worse, at most")
    parser.add_argument("--out", type=Path, default=HERE / "warnings.md")
    options = parser.parse_args()
    rater = registry.load(options.weights, "onnxruntime", 1)
    studio, wild = (read_data_set(folder) for folder in options.data)
    held_out = read_held_out(rater.card)
    second = {sample.name for sample in covered.training_samples([studio, wild], second=True)}
    drawn = [name for name in _held_back(held_out, wild, 10**6) if name in second][: options.n]
    pools = {
        f"{wild.title}, as it is": seen(rater, wild, _held_back(held_out, wild, 10**6), {"": WORSE["as it is"]}),
        f"{studio.title}, made worse": seen(rater, studio, _held_back(held_out, studio, options.n), WORSE),
    }
    sizes = " and ".join(f"{len(pool.errors)} of {title}" for title, pool in pools.items())
    lines = [
        "# What the warnings mark",
        f"Scores of `{rater.name}`, of {sizes}, none learnt from, by `python benchmarks/face_warnings.py "
        "--data SCUT-FBP5500 --data MEBEAUTY --weights CARD.json`. "
        f"A warning stays if it marks {ENOUGH} photos or more and these are "
        f"{RATIO} times as far off as the unmarked ones of the same column, on average.",
        table(("Warning", *pools, "Times as far off", "Verdict"), word_rows(pools)),
        f"The threshold that marks most photos at {RATIO} times the error, beside the one in use:",
        table(("Warning", "Measured", "Threshold", "In use", "Marked", "Times as far off"), threshold_rows(pools), 2),
        f"`covered` on {len(drawn)} photos of {wild.title}, with things drawn over them:",
        table(("Drawn over", "n", "Marked", "Mean absolute error"), drawn_rows(rater, wild, drawn)),
    ]
    text = "\n\n".join(lines) + "\n"
    options.out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()

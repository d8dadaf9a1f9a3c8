"""Faces on their side, leaning, small or in groups: what is found, and how far scores move. Writes faces.md.

python benchmarks/faces.py --data SCUT-FBP5500 --wild MEBeauty [--n 200]

Photos of the training lists alone (60/40, 2022): thresholds of `faces/second_look.py` were chosen on these.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import cv2
import numpy as np

from beauty_evaluate import images
from beauty_evaluate.config import CropConfig
from beauty_evaluate.datasets.registry import read as read_data_set
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.faces import second_look
from beauty_evaluate.faces.align import transform
from beauty_evaluate.faces.detect import Face, find_faces, main_face
from beauty_evaluate.faces.detector import Detection
from beauty_evaluate.faces.search import search
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.network import network_of

TURNED_PHOTOS = 60  # of each data set
TURNS = (15, -30, 30, -45, 45, -60, 60, 90, -90, 180)
SEEN_SIDES = (12, 16, 20, 24, 32, 48, 64, 100, 160)  # pixels of the longest side
COLUMNS, ROWS, CELL = 6, 4, 620  # of a group photo, pixels

Look = Callable[[images.Picture, CropConfig], list[Detection]]


def turned(photo: images.Picture, degrees: int) -> images.Picture:
    """The whole photo turned clockwise, its border repeated."""
    if degrees % 90 == 0:
        return np.ascontiguousarray(np.rot90(photo, -degrees // 90))
    height, width = photo.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = round(height * sin + width * cos), round(height * cos + width * sin)
    matrix[:, 2] += [(size[0] - width) / 2, (size[1] - height) / 2]
    return np.asarray(cv2.warpAffine(photo, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


class Scores:
    """Scores of single faces by the network."""

    def __init__(self, weights: str | None) -> None:
        self.rater = network_of(registry.load(weights), "Scores")
        self.config = self.rater.crop_config

    def of(self, face: Face) -> float:
        return float(self.rater.rate([face]).mean[0])

    def main(self, photo: images.Picture) -> tuple[float, Face] | None:
        """Score and face of a photo, None without one."""
        try:
            face = main_face(find_faces(photo, self.config))
        except PhotoError:
            return None
        return self.of(face), face


def _costly(photo: images.Picture, config: CropConfig) -> list[Detection]:
    """A second look as it was: at wider views, and at all turns of every doubtful face."""
    now = second_look.REACH, second_look.SURE_CLOSER
    second_look.REACH, second_look.SURE_CLOSER = 2.5, 2.0
    try:
        return second_look.find(photo, config)
    finally:
        second_look.REACH, second_look.SURE_CLOSER = now


def ordinary(photos: Sequence[images.Picture], scores: Scores) -> str:
    """Shares of photos that get a second look, and what it costs: each photo is looked at without one, with one, and
    with one as it was before, in this order or turned round."""
    ways: tuple[Look, ...] = (search, second_look.find, _costly)
    answers: dict[Look, list[list[Detection]]] = {way: [] for way in ways}
    seconds = dict.fromkeys(ways, 0.0)
    for i, photo in enumerate(photos):
        for way in ways[:: 1 if i % 2 else -1]:
            begin = time.process_time()
            answers[way].append(way(photo, scores.config))
            seconds[way] += time.process_time() - begin
    begin = time.process_time()
    for photo in photos[:50]:
        scores.main(photo)
    whole = (time.process_time() - begin) / len(photos[:50]) * len(photos)
    first, faces = answers[search], answers[second_look.find]
    mains = [max(seen, key=lambda face: face.side) for seen in first if seen]
    doubtful = np.mean([face.confidence < second_look.SURE for face in mains])
    leaning = np.mean([abs(face.tilt) > second_look.TILTED for face in mains])
    moved = np.mean([len(a) != len(b) or (a[0].points != b[0].points).any() for a, b in zip(first, faces, strict=True)])
    before, now = ((seconds[way] - seconds[search]) / whole for way in (_costly, second_look.find))
    return f"{doubtful:.1%} | {leaning:.1%} | {moved:.1%} | {before:.1%} | {now:.1%}"


def turns(photos: Sequence[images.Picture], scores: Scores) -> Iterator[str]:
    """A row per turn: found, and how far the score moves."""
    before = [scores.main(photo) for photo in photos]
    for degrees in TURNS:
        moves, wrong = [], 0
        for photo, reference in zip(photos, before, strict=True):
            after = scores.main(turned(photo, degrees))
            if reference and after:
                moves.append(abs(after[0] - reference[0]))
                wrong += abs((after[1].roll - reference[1].roll - degrees + 180) % 360 - 180) > 45
        yield f"{degrees} | {len(moves)} of {len(photos)} | {wrong} | {_spread(moves)}"


def sizes(photos: Sequence[images.Picture], scores: Scores) -> Iterator[str]:
    """A row per size in the detector's picture: found, and how far the score moves, without and with a second look."""
    before = [scores.main(photo) for photo in photos]
    for side in SEEN_SIDES:
        once, twice, n = [], [], 0
        for photo, reference in zip(photos, before, strict=True):
            if reference is None or max(reference[1].box[2:]) < side:
                continue
            n += 1
            scale = side / max(reference[1].box[2:])
            config = type(scores.config)(detector_side=max(64, round(scale * max(photo.shape[:2]))))
            if found := search(photo, config):
                seen = max(found, key=lambda face: face.side)
                again = second_look._larger(photo, seen, config)
                for moves, detection in ((once, seen), (twice, again)):
                    face = Face(detection.box, detection.points, detection.confidence, photo)
                    moves.append(abs(scores.of(face) - reference[0]))
        yield f"{side} | {len(once)} of {n} | {_spread(once)} | {_spread(twice)}"


def groups(photos: Sequence[images.Picture], scores: Scores) -> str:
    """Photos side by side in one large picture: faces found, and how far each score moves from that of its photo."""
    canvas = np.full((ROWS * CELL, COLUMNS * CELL, 3), 128, np.uint8)
    references, moves, matched = [], [], 0
    for i, photo in enumerate(photos[: COLUMNS * ROWS]):
        scale = min(1, (CELL - 20) / max(photo.shape[:2]))
        small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        x, y = i % COLUMNS * CELL, i // COLUMNS * CELL
        canvas[y : y + small.shape[0], x : x + small.shape[1]] = small
        if alone := scores.main(np.asarray(small, np.uint8)):
            references.append((alone[0], transform(alone[1].points, np.array([[1, 0, x], [0, 1, y]]))))
    faces = find_faces(canvas, scores.config)
    for score, points in references:
        near = [face for face in faces if np.linalg.norm(face.points[2] - points[2]) < np.ptp(points[:, 0])]
        matched += bool(near)
        moves += [abs(scores.of(face) - score) for face in near[:1]]
    return f"{matched} of {len(references)} | {len(faces)} | {_spread(moves)}"


def _spread(moves: Sequence[float]) -> str:
    return f"{np.mean(moves):.3f} | {np.quantile(moves, 0.9):.3f}" if len(moves) else "- | -"


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--wild", type=Path, required=True)
    parser.add_argument("--weights")
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--ordinary", action="store_true", help="print what a second look costs, and stop")
    parser.add_argument("--out", type=Path, default=HERE / "faces.md")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    scores = Scores(options.weights)
    sets = [(read_data_set(options.data), "60-40"), (read_data_set(options.wild), "2022")]
    photos = {}
    for data, split in sets:
        names = np.random.default_rng(7).permutation(sorted(data.splits[split]().train))[: options.n]
        photos[data.title] = [data.samples[name].read() for name in names]
    costs = [
        "| Ordinary photos | doubtful | leaning | changed by a second look | of the time to a score, before | now |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *(f"| {title} | {ordinary(some, scores)} |" for title, some in photos.items()),
    ]
    if options.ordinary:
        print("\n".join(costs))
        return
    few = {title: some[:TURNED_PHOTOS] for title, some in photos.items()}
    lines = [
        f"`{scores.rater.name}`, {options.n} photos of each training list; made by `python benchmarks/faces.py --data "
        f"SCUT-FBP5500 --wild MEBeauty`. Confidence below {second_look.SURE} is doubtful, a tilt of more than "
        f"{second_look.TILTED:g} degrees is leaning. Moves are absolute, in rating points: mean and 90 % quantile.",
        "",
        *costs,
        "",
        f"Turned clockwise, {TURNED_PHOTOS} photos each:",
        "",
        "| | degrees | found | wrong way up | score moves by | 90 % |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *(f"| {title} | {row} |" for title, some in few.items() for row in turns(some, scores)),
        "",
        "The longer side of the face in the detector's picture:",
        "",
        "| | pixels | found | score moves by | 90 % | after a closer look | 90 % |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(f"| {title} | {row} |" for title, some in few.items() for row in sizes(some, scores)),
        "",
        f"{COLUMNS * ROWS} photos in one picture of {COLUMNS * CELL} x {ROWS * CELL} pixels, beside each alone:",
        "",
        "| | found | faces in all | score moves by | 90 % |",
        "| --- | ---: | ---: | ---: | ---: |",
        *(f"| {title} | {groups(some, scores)} |" for title, some in few.items()),
    ]
    text = "\n".join(lines)
    options.out.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()

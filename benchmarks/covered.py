"""Learn when eyes or mouth are covered, from things drawn over training photos: beauty_evaluate/faces/covered.npz.

python benchmarks/covered.py --data SCUT-FBP5500 --data MEBEAUTY

Every second photo of the training lists is learnt from; benchmarks/face_warnings.py looks at the others.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.datasets.dataset import DataSet, Sample
from beauty_evaluate.datasets.registry import read as read_data_set
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.faces.align import crop_matrix, transform
from beauty_evaluate.faces.covered import BASE, ROWS, RULES, cells
from beauty_evaluate.faces.detect import find_faces, main_face
from beauty_evaluate.images import Picture

Points = NDArray[np.float64]
Draw = Callable[[Picture, Points, np.random.Generator], Picture]
SHRINKAGE = 30.0  # of the rules, as the precision of a prior
SPLITS = ("60-40", None)  # whose training parts are learnt from, first SCUT-FBP5500's
N_FACES = 1500  # of a data set, at most
SIDE = BASE.size


def _laid(crop: Picture, mask: NDArray[np.uint8], pixels: NDArray[np.float32], rng: np.random.Generator) -> Picture:
    """Pixels laid over a crop where the mask is, with light from one side, a soft edge and noise."""
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), float(rng.uniform(0.5, 1.5)))[..., None]
    slope = np.arange(SIDE) / (SIDE / 2) - 1
    across, down = (1 + rng.uniform(-0.25, 0.25) * slope for _ in range(2))
    lit = np.clip(pixels * (across[None, :, None] * down[:, None, None]), 0, 255)
    noise = rng.normal(0, rng.uniform(0, 3), crop.shape)
    return np.asarray(np.clip(crop * (1 - soft) + lit * soft + noise, 0, 255), np.uint8)


def _cloth(crop: Picture, rng: np.random.Generator) -> NDArray[np.float32]:
    """A piece of the crop, enlarged, as it is or mostly of one colour."""
    side = int(rng.integers(24, 110))
    y, x = rng.integers(0, SIDE - side, 2)
    piece = cv2.resize(crop[y : y + side, x : x + side], (SIDE, SIDE)).astype(np.float32)
    if rng.random() < 0.5:
        piece = piece * rng.uniform(0, 0.4) + rng.integers(0, 256, 3) * rng.uniform(0.3, 1)
    return np.asarray(piece, np.float32)


def glasses(crop: Picture, points: Points, rng: np.random.Generator) -> Picture:
    """Dark or coloured lenses over both eyes, round or square, with a bridge."""
    apart = float(np.linalg.norm(points[1] - points[0]))
    mask = np.zeros((SIDE, SIDE), np.uint8)
    wide, high = apart * rng.uniform(0.33, 0.52), apart * rng.uniform(0.22, 0.42)
    for x, y in points[:2]:
        if rng.random() < 0.5:
            centre, axes = (int(x), int(y + 0.05 * apart)), (int(wide), int(high))
            cv2.ellipse(mask, centre, axes, 0, 0, 360, (255,), -1, cv2.LINE_AA)
        else:
            corners = (int(x - wide), int(y - 0.8 * high)), (int(x + wide), int(y + high))
            cv2.rectangle(mask, *corners, (255,), -1, cv2.LINE_AA)
    ends = [(int(x), int(y)) for x, y in points[:2]]
    cv2.line(mask, ends[0], ends[1], (255,), max(2, int(0.06 * apart)), cv2.LINE_AA)
    lens = _cloth(crop, rng) * np.float32(rng.uniform(0, 0.35) if rng.random() < 0.8 else 1)
    through = rng.uniform(0, 0.25)
    return _laid(crop, mask, lens * (1 - through) + crop * through, rng)


def mask_or_thing(crop: Picture, points: Points, rng: np.random.Generator) -> Picture:
    """A mask from nose to chin, or a thing held before the mouth."""
    apart = float(np.linalg.norm(points[1] - points[0]))
    nose, mouth = points[2], points[3:].mean(0)
    mask = np.zeros((SIDE, SIDE), np.uint8)
    if rng.random() < 0.6:
        top = rng.uniform(-0.3, 0.15)
        from_nose = np.array([(-0.85, top), (0, top - 0.1), (0.85, top)]) * apart + nose
        from_mouth = np.array([(0.75, 0.35), (0, 0.75), (-0.75, 0.35)]) * apart + mouth
        outline = np.concatenate([from_nose, from_mouth]) + rng.uniform(-0.1, 0.1, (6, 2)) * apart
        cv2.fillPoly(mask, [outline.astype(np.int32)], (255,), cv2.LINE_AA)
    else:
        x, y = mouth + rng.uniform(-0.1, 0.1, 2) * apart
        axes = (int(apart * rng.uniform(0.4, 0.8)), int(apart * rng.uniform(0.24, 0.5)))
        cv2.ellipse(mask, (int(x), int(y)), axes, float(rng.uniform(-40, 40)), 0, 360, (255,), -1, cv2.LINE_AA)
    return _laid(crop, mask, _cloth(crop, rng), rng)


def hand(crop: Picture, points: Points, rng: np.random.Generator) -> Picture:
    """Four fingers of the face's own colour over the mouth, from one side."""
    apart = float(np.linalg.norm(points[1] - points[0]))
    nose, mouth = points[2], points[3:].mean(0)
    x, y = np.clip((nose + np.array([0.3, -0.1]) * apart).astype(int), 6, SIDE - 7)
    skin = np.median(crop[y - 6 : y + 6, x - 6 : x + 6].reshape(-1, 3), axis=0)
    picture = crop.astype(np.float32)
    angle = rng.uniform(-0.5, 0.5) + (0 if rng.random() < 0.5 else np.pi)
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    for finger in range(4):
        middle = mouth + across * (finger - 1.5) * 0.22 * apart
        ends = middle - 1.5 * apart * along, middle + rng.uniform(0.4, 0.8) * apart * along
        first, last = ((int(x), int(y)) for x, y in ends)
        for shade, width in ((0.55, 0.25), (rng.uniform(0.85, 1.05), 0.19)):  # a shadow around each
            colour = tuple(float(value) for value in skin * shade)
            cv2.line(picture, first, last, colour, int(width * apart), cv2.LINE_AA)
    return np.asarray(np.clip(cv2.GaussianBlur(picture, (0, 0), 0.8), 0, 255), np.uint8)


DRAWN: dict[str, Draw] = {"glasses": glasses, "mask or thing": mask_or_thing, "hand": hand}


def training_samples(data: Sequence[DataSet], second: bool) -> list[Sample]:
    """Every second photo of the training lists, from the first or the second on; N_FACES of a data set at most."""
    chosen = []
    for one, split in zip(data, SPLITS, strict=False):
        names = one.split(split).train[int(second) :: 2]
        chosen += [one.samples[name] for name in names[:: max(1, round(len(names) / N_FACES))]]
    return chosen


def face_crop(sample: Sample) -> tuple[Picture, Points] | None:
    """The crop of a photo's main face and the five points in it; None without a face."""
    try:
        face = main_face(find_faces(sample.read(), BASE))
    except PhotoError:
        return None
    return face.crop(BASE), transform(face.points, crop_matrix(face.points, BASE))


def rule(positive: NDArray[np.float32], negative: NDArray[np.float32]) -> NDArray[np.float32]:
    """The logistic rule that tells the rows of two tables apart, by Newton's method: its constant, then its weights.
    Both tables weigh the same."""
    x = np.column_stack([np.ones(len(positive) + len(negative)), np.concatenate([positive, negative])])
    y = np.repeat([1.0, 0.0], [len(positive), len(negative)])
    balance = np.where(y == 1, len(y) / 2 / len(positive), len(y) / 2 / len(negative))
    weights = np.zeros(x.shape[1])
    for _ in range(25):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        curvature = x.T @ (x * (balance * (p * (1 - p) + 1e-5))[:, None]) + SHRINKAGE * np.eye(len(weights))
        weights += np.linalg.solve(curvature, x.T @ (balance * (y - p)) - SHRINKAGE * weights)
    return weights.astype(np.float32)


def main() -> None:
    """Learn both rules and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True, help="twice: SCUT-FBP5500, MEBeauty")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    seen: dict[str, list[NDArray[np.float32]]] = {"as it is": [], **{kind: [] for kind in DRAWN}}
    for sample in training_samples([read_data_set(folder) for folder in options.data], second=False):
        if (found := face_crop(sample)) is None:
            continue
        crop, points = found
        seen["as it is"].append(cells(crop, BASE))
        for kind, draw in DRAWN.items():
            seen[kind].append(cells(draw(crop, points, rng), BASE))
    tables = {kind: np.stack(grids) for kind, grids in seen.items()}
    rules = {}
    for part, rows in ROWS.items():
        covering = ["glasses"] if part == "eyes" else ["mask or thing", "hand"]
        flat = {kind: grid[:, rows].reshape(len(grid), -1) for kind, grid in tables.items()}
        positive = np.concatenate([flat[kind] for kind in covering])
        rules[part] = rule(positive, np.concatenate([flat[kind] for kind in flat if kind not in covering]))
    np.savez_compressed(RULES, **rules)  # type: ignore[arg-type]
    print(f"{RULES}: learnt from {len(tables['as it is'])} faces")


if __name__ == "__main__":
    main()

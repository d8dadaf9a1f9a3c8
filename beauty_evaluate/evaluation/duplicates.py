"""Photos that stand in a data set twice, or almost: alike by perceptual hash, the same once laid on each other."""

import csv
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import cv2
import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from beauty_evaluate.config import CropConfig
from beauty_evaluate.datasets.crops import load_crops
from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.errors import DataError
from beauty_evaluate.images import Picture

BORDER = 0.125  # share of a crop's side that is left out all around: hair and background vary between copies
SIDE = 96  # pixels of the rest
HASH = 12  # a side of the hash, which has 144 bits
BITS = 30  # bits that candidates may differ in; in SCUT-FBP5500 copies differ in up to 28
# In SCUT-FBP5500, 37 pairs correlate .985 and more; the next, .975, are two persons alike.
CORRELATION = 0.98


@dataclass(frozen=True)
class Pair:
    """Two photos of which one is a copy of the other. bits: of the hash that differ. correlation: of their grey
    pixels after registration."""

    first: str
    second: str
    bits: int
    correlation: float


def near_duplicates(
    names: tuple[str, ...], crops: Picture, progress: Callable[[int, int], None] | None = None
) -> list[Pair]:
    """Pairs of photos that are copies, cut, turned, mirrored or recoloured differently; the most alike first.

    Candidates are those whose pHash (DCT signs, of the crop or of its mirror image) differs in at most BITS bits; a
    pair counts if the two correlate by CORRELATION after an affine registration (ECC, Evangelidis & Psarakis 2008).

    Args:
        names: Of the photos.
        crops: Aligned, uint8 (N, size, size, 3).
        progress: Called with the candidates done and all.

    Example:
        >>> from beauty_evaluate import images
        >>> crop = images.read("examples/eileen_collins.png")[:128, :128]
        >>> [(pair.first, pair.second) for pair in near_duplicates(("a", "b"), np.stack([crop, crop[:, ::-1]]))]
        [('a', 'b')]
    """
    plain = [_inner(crop) for crop in crops]
    mirrored = [np.ascontiguousarray(grey[:, ::-1]) for grey in plain]
    hashes = _hashes(plain)
    pairs: dict[tuple[str, str], Pair] = {}
    for other, flipped in ((plain, False), (mirrored, True)):
        bits = (hashes.shape[1] - hashes @ _hashes(other).T) / 2 if len(crops) else np.empty((0, 0))
        candidates = np.argwhere(np.triu(bits <= BITS, 1))
        for n, (i, j) in enumerate(candidates):
            correlation = _registered(plain[i], other[j])
            if correlation >= CORRELATION:
                first, second = sorted((names[i], names[j]))
                pair = Pair(first, second, int(bits[i, j]), round(correlation, 4))
                pairs[first, second] = max(pair, pairs.get((first, second), pair), key=lambda p: p.correlation)
            if progress:
                progress(n + 1 + flipped * len(candidates), 2 * len(candidates))
    return sorted(pairs.values(), key=lambda pair: (-pair.correlation, pair.first, pair.second))


def in_data_set(data: DataSet, progress: Callable[[int, int], None] | None = None) -> list[Pair]:
    """Near-duplicates among all photos of a data set that show a face."""
    crops = load_crops(list(data.samples.values()), CropConfig(size=128))
    return near_duplicates(crops.names, crops.centre, progress)


def write_pairs(path: Path, pairs: Iterable[Pair]) -> None:
    """A table of pairs: file names and how alike they are, no photos."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([f.name for f in fields(Pair)])
        writer.writerows(astuple(pair) for pair in pairs)


def read_pairs(path: Path) -> list[Pair]:
    """The table that `write_pairs` wrote. DataError if it is not one."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return [Pair(r["first"], r["second"], int(r["bits"]), float(r["correlation"])) for r in rows]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise DataError(
            f"{path} is not a table of near-duplicates ({error}). Delete it, and it is made anew."
        ) from error


def _inner(crop: Picture) -> Picture:
    """The middle of a crop in grey, (SIDE, SIDE)."""
    cut = round(len(crop) * BORDER)
    grey = cv2.cvtColor(np.ascontiguousarray(crop[cut : len(crop) - cut, cut : len(crop) - cut]), cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def _hashes(pictures: list[Picture]) -> NDArray[np.float32]:
    """pHash of each, as a row of +-1."""
    hashes = [imagehash.phash(Image.fromarray(picture), hash_size=HASH).hash.reshape(-1) for picture in pictures]
    return np.array(hashes, np.float32).reshape(-1, HASH * HASH) * 2 - 1


def _registered(a: Picture, b: Picture) -> float:
    """Correlation of two pictures after b was laid onto a; 0 where no way was found."""
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 30, 1e-4)
    start = np.eye(2, 3, dtype=np.float32)
    try:
        return float(cv2.findTransformECC(a, b, start, cv2.MOTION_AFFINE, stop, None, 5)[0])  # type: ignore[call-overload]
    except cv2.error:  # did not converge
        return 0.0

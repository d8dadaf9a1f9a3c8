"""Where the detector looks: the whole photo, tiles of a very large one, other turns."""

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig
from beauty_evaluate.faces.align import shrink
from beauty_evaluate.faces.detector import MIN_SIDE, Detection, View, detect
from beauty_evaluate.images import Picture

# YuNet finds nearly all faces of 24 pixels and more, half of those of 16, hardly any of 12: benchmarks/faces.md.
SEEN_SIDE = 24
MAX_SIDE = 8192  # pixels of a photo that one look is enough for; phones' cameras stay below
MAX_ASPECT = 5  # beyond it, a look at the whole photo shows a strip
CROWD = 4  # faces, at least, of whom half are hardly seen: there are others between them
CROWD_SIDE = 32

TILE_SCALE = 0.5  # of the finest tiles: faces of 48 pixels of the photo are found; smaller ones mean little
LEVEL_STEP = 3  # from level to level of tiles: a face seen at 100 pixels is seen at 33 on the next
OVERLAP = 128  # pixels: a face of 100 lies whole in some tile; a larger one in one of the next level
# Bounds the tiles: as many pixels as 24 looks at a whole photo. Of a larger photo, all tiles are coarser: at 50
# megapixels faces are found from some 70 pixels on.
MAX_PIXELS = 24 * 640 * 640


def search(photo: Picture, config: CropConfig, quarters: int = 0) -> list[Detection]:
    """The faces of a photo that is turned by so many quarters, counter-clockwise, before the detector sees it."""
    if needs_tiles(photo, config):
        return search_tiles(photo, config, quarters)
    height, width = photo.shape[:2]
    view = _view(photo, (0, 0, width, height), look_scale(photo, config), quarters)
    faces = detect(view, config.detector_threshold)
    crowd = len(faces) >= CROWD and np.median([face.seen_side for face in faces]) < CROWD_SIDE
    if crowd and look_scale(photo, config) < TILE_SCALE:
        return merged([*faces, *search_tiles(photo, config, quarters)])
    return faces


def needs_tiles(photo: Picture, config: CropConfig) -> bool:
    """Whether one look at the whole photo would miss faces that matter."""
    longest, shortest = max(photo.shape[:2]), min(photo.shape[:2])
    return bool(longest > max(min(MAX_SIDE, MAX_ASPECT * shortest), config.detector_side))


def look_scale(photo: Picture, config: CropConfig) -> float:
    """At which the detector sees the whole photo."""
    return float(min(1.0, config.detector_side / max(photo.shape[:2])))


def search_tiles(photo: Picture, config: CropConfig, quarters: int = 0, finest: float = TILE_SCALE) -> list[Detection]:
    """The faces of a photo in tiles, at several scales; none that a tile's edge cuts, since another tile has it
    whole. quarters: as `search`. finest: the scale of the smallest tiles."""
    faces: list[Detection] = []
    for scale in _scales(photo, config, finest):
        for region in _tiles(photo, scale, config.detector_side):
            view = _view(photo, region, scale, quarters)
            faces += [
                face for face in detect(view, config.detector_threshold) if not _is_cut(face, region, photo.shape)
            ]
    return merged(faces)


def _scales(photo: Picture, config: CropConfig, finest: float) -> list[float]:
    """From the finest to that of the whole photo, but none at which it is a thread."""
    coarsest, shortest = look_scale(photo, config), min(photo.shape[:2])
    finest = max(finest, coarsest)
    while _tiled_pixels(photo, finest, config.detector_side) > MAX_PIXELS:
        finest *= 0.9
    scales = [finest]
    while scales[-1] > coarsest and scales[-1] * shortest > MIN_SIDE:
        scales.append(max(scales[-1] / LEVEL_STEP, coarsest))
    return scales


def _tiled_pixels(photo: Picture, scale: float, side: int) -> int:
    """That the detector sees in all tiles of a scale."""
    counts = [_count(length * scale, side) for length in photo.shape[:2]]
    sides = [min(side, max(MIN_SIDE, length * scale)) for length in photo.shape[:2]]
    return int(math.prod(counts) * math.prod(sides))


def _count(length: float, side: int) -> int:
    """Of tiles along a side of `length`, both in pixels of the detector."""
    return max(1, math.ceil((length - OVERLAP) / (side - OVERLAP)))


def _tiles(photo: Picture, scale: float, side: int) -> Iterator[tuple[int, int, int, int]]:
    """Left, top, right and bottom of each tile, in pixels of the photo: evenly spread."""
    spans = []
    for length in (photo.shape[1], photo.shape[0]):
        count, reach = _count(length * scale, side), min(length, math.ceil(side / scale))
        starts = [round(i * (length - reach) / max(1, count - 1)) for i in range(count)]
        spans.append([(start, start + reach) for start in starts])
    for top, bottom in spans[1]:
        for left, right in spans[0]:
            yield left, top, right, bottom


def _is_cut(face: Detection, region: tuple[int, int, int, int], shape: tuple[int, ...]) -> bool:
    """Whether an edge of the tile that is none of the photo's cuts the face."""
    x, y, w, h = face.box
    left, top, right, bottom = region
    return (
        (x < left and left > 0)
        or (y < top and top > 0)
        or (x + w > right and right < shape[1])
        or (y + h > bottom and bottom < shape[0])
    )


def _view(photo: Picture, region: tuple[int, int, int, int], scale: float, quarters: int) -> View:
    """A part of the photo, shrunken and turned counter-clockwise."""
    left, top, right, bottom = region
    part = photo[top:bottom, left:right]
    small, to_photo = shrink(part, (round((right - left) * scale), round((bottom - top) * scale)))
    to_photo[:2, 2] += [left, top]
    height, width = small.shape[:2]
    unturn = {  # from pixels of the turned picture to those of the one that is not
        0: np.eye(3),
        1: np.array([[0, -1, width - 1], [1, 0, 0], [0, 0, 1]]),
        2: np.array([[-1, 0, width - 1], [0, -1, height - 1], [0, 0, 1]]),
        3: np.array([[0, 1, 0], [-1, 0, height - 1], [0, 0, 1]]),
    }[quarters % 4]
    return View(np.ascontiguousarray(np.rot90(small, quarters)), (to_photo @ unturn)[:2])


def merged(detections: Iterable[Detection], before: Sequence[Detection] = ()) -> list[Detection]:
    """Each face once, as it was seen most surely. before: faces that are kept in any case, and come first."""
    kept = list(before)
    for face in sorted(detections, key=lambda face: -face.confidence):
        if not same_face(face, kept).any():
            kept.append(face)
    return kept


def same_face(face: Detection, others: Sequence[Detection]) -> NDArray[np.bool_]:
    """Which of the other detections are of the same face: their boxes share more than .3 of what both cover, or the
    middle of one lies well inside the other."""
    if not others:
        return np.zeros(0, bool)
    boxes, box = np.array([other.box for other in others]), np.array(face.box)
    apart = np.abs(boxes[:, :2] + boxes[:, 2:] / 2 - face.centre)
    larger, smaller = np.maximum(boxes[:, 2:], box[2:]), np.minimum(boxes[:, 2:], box[2:])
    shared = np.clip(np.minimum((boxes[:, 2:] + box[2:]) / 2 - apart, smaller), 0, None).prod(1)
    covered = boxes[:, 2:].prod(1) + box[2:].prod() - shared
    return np.asarray((apart < 0.35 * larger).all(1) | (shared > 0.3 * covered))

"""Masks that tile an aligned crop: which pixels are eyes, jaw, hair."""

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig
from beauty_evaluate.faces.align import Points
from beauty_evaluate.faces.landmarks import landmarks, person_mask
from beauty_evaluate.images import Picture, three_channels

NAMES = (
    "eyes", "brows", "nose", "mouth", "cheeks", "forehead", "jaw and chin", "hair and ears", "neck and clothes",
    "background",
)  # fmt: skip

Masks = NDArray[np.bool_]

# Points of MediaPipe's mesh, in order along each outline; left and right as in the picture.
OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
_LIPS_INSIDE = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
EYES = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
BROWS = ((46, 53, 52, 65, 55, 107, 66, 105, 63, 70), (276, 283, 282, 295, 285, 336, 296, 334, 293, 300))
_NOSE = (168, 122, 196, 236, 198, 209, 49, 129, 64, 98, 97, 2, 326, 327, 294, 358, 279, 429, 420, 456, 419, 351)
_PHILTRUM = (98, 327, 291, 61)  # between the wings of the nose and the corners of the mouth
_CORNERS = (61, 291)
_TEMPLES = (127, 356)
_JAW_ANGLES = (58, 288)
_CHIN = 152

_MAX_HAIR_DISTANCE = 40.0  # distance of two colours in 8-bit L*a*b* up to which both may be hair

# How far an outline is widened, as a share of the crop's side: lids and lashes belong to the eyes, the line between
# cheek and background to the face.
_WIDER = {"eyes": 0.03, "brows": 0.012, "nose": 0.008, "mouth": 0.015, "face": 0.015}


def regions(crop: Picture, config: CropConfig) -> Masks:
    """Masks of NAMES on an aligned crop: bool (10, size, size), one True at each pixel.

    crop: uint8 (size, size, 3 or 1). Landmarks give the parts of the face, so that a fringe is forehead; the person
    mask gives what is around it. Errors as `landmarks`.
    """
    return tile(crop, landmarks(crop, config), person_mask(crop) > 0.5)


def hand_distance(points: Points, hand: Points) -> NDArray[np.float64]:
    """How far SCUT-FBP5500's hand-set points lie from the mesh's outlines of the same part, float64 (N,).

    In shares of the distance of the pupils. points: (468, 2), hand: (86, 2), both in crop pixels; contour, brows, eyes
    and lips, but for the top of the forehead, which the mesh does not follow.
    """
    parts = ((hand[2:21], (OVAL,)), (hand[22:42], BROWS), (hand[42:58], EYES), (hand[73:86], (LIPS, _LIPS_INSIDE)))
    distances = []
    for points_by_hand, outlines in parts:
        curve = np.concatenate([_along(points[list(outline)]) for outline in outlines])
        distances.append(np.linalg.norm(points_by_hand[:, None] - curve[None], axis=2).min(1))
    return np.concatenate(distances) / float(np.linalg.norm(hand[58] - hand[59]))


def _along(corners: Points, steps: int = 12) -> Points:
    """Points along a closed outline."""
    share = np.linspace(0, 1, steps, endpoint=False)[:, None, None]
    return (corners + share * (np.roll(corners, -1, axis=0) - corners)).reshape(-1, 2)


def tile(crop: Picture, points: Points, person: NDArray[np.bool_]) -> Masks:
    """The masks for landmarks (468, 2) and a person mask (size, size). Above the jaw, what is not face is hair; beside
    the neck it is if it has the colour of the hair above and hangs together with it, and under the chin it is not."""
    side = len(person)
    y, x = np.mgrid[:side, :side]
    face = _filled(points, OVAL, side, _WIDER["face"])
    taken = {
        "mouth": _filled(points, LIPS, side, _WIDER["mouth"]),
        "nose": _filled(points, _NOSE, side, _WIDER["nose"]),
        "eyes": _any(points, EYES, side, _WIDER["eyes"]),
        "brows": _any(points, BROWS, side, _WIDER["brows"]),
        "philtrum": _filled(points, _PHILTRUM, side, 0),
        "forehead": face & _above(points[list(EYES[0])].mean(0), points[list(EYES[1])].mean(0), x, y),
        "jaw and chin": face & ~_above(points[_CORNERS[0]], points[_CORNERS[1]], x, y),
        "cheeks": face,
    }
    low = ~_above(points[_JAW_ANGLES[0]], points[_JAW_ANGLES[1]], x, y)
    width = points[_JAW_ANGLES[1], 0] - points[_JAW_ANGLES[0], 0]
    beside = np.abs(x - points[_CHIN, 0]) > 0.4 * width
    sure = person & ~face & _above(points[_TEMPLES[0]], points[_TEMPLES[1]], x, y)
    hair = _touching(person & ~face & (~low | beside & _like(crop, sure)), sure)
    taken |= {
        "neck and clothes": person & low & ~hair,
        "hair and ears": person,
        "background": np.ones((side, side), bool),
    }
    masks = {name: np.zeros((side, side), bool) for name in NAMES}
    free = np.ones((side, side), bool)
    for name, mask in taken.items():  # what comes first keeps its pixels
        masks["mouth" if name == "philtrum" else name] |= mask & free
        free &= ~mask
    return np.stack([masks[name] for name in NAMES])


def _like(crop: Picture, sample: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels whose colour is like that of the pixels in `sample`; none without a sample."""
    if not sample.any():
        return np.zeros(sample.shape, bool)
    smooth = cv2.GaussianBlur(three_channels(crop), (0, 0), len(crop) / 128)
    lab = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB).astype(np.float32)
    return np.asarray(np.linalg.norm(lab - np.median(lab[sample], 0), axis=2) < _MAX_HAIR_DISTANCE)


def _touching(mask: NDArray[np.bool_], seed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pieces of `mask` that hold a pixel of `seed`."""
    _, pieces = cv2.connectedComponents(mask.astype(np.uint8))
    return np.asarray(np.isin(pieces, np.unique(pieces[seed & mask])) & mask)


def _filled(points: Points, outline: tuple[int, ...], side: int, wider: float) -> NDArray[np.bool_]:
    """The inside of an outline, widened by a share of the side."""
    mask = np.zeros((side, side), np.uint8)
    cv2.fillPoly(mask, [np.round(points[list(outline)]).astype(np.int32)], 1)
    reach = round(wider * side)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2)
    return np.asarray(cv2.dilate(mask, kernel), bool)


def _any(points: Points, outlines: tuple[tuple[int, ...], ...], side: int, wider: float) -> NDArray[np.bool_]:
    return np.asarray(np.any([_filled(points, outline, side, wider) for outline in outlines], 0))


def _above(a: Points, b: Points, x: NDArray[np.int64], y: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Pixels above the line through a and b."""
    return np.asarray(y < a[1] + (x - a[0]) * (b[1] - a[1]) / (b[0] - a[0] or 1))

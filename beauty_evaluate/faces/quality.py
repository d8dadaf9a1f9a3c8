"""When a score means little: what can be measured of a face and its photo, and the warnings that follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from weakref import WeakKeyDictionary

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig
from beauty_evaluate.faces.align import Crop, crop_matrix, template, transform
from beauty_evaluate.faces.covered import covered
from beauty_evaluate.faces.detect import Face

GRID = 32  # points a side at which a crop is looked at for what lies outside the photo
CLIPPED = 5  # of 255: what is so near to black or white has lost its texture
BOX_SHAPE = 0.74  # width by height of the median box over training photos
# Beside the five points, which the detector draws towards their usual places. Of 500 training photos 1.2 % are called
# stretched so, of the same at .65 of their width 70 % (by the points alone 21 %), at 1.35 times their width 34 % (6 %).
BOX_WEIGHT = 0.6
MAX_LEAN = 30  # degrees from upright, or from lying, up to which a box shows the shape of its face
FINE_DETAIL = 2.0  # pixels of the 256 of a crop's side: what is finer is gone first when a photo is blurred


# The thresholds are where degraded photos of SCUT-FBP5500 begin to move their own score by a tenth of a point and
# more, or where hardly any of its faces lies (benchmarks/drift.md, by benchmarks/drift.py). Those from `max_outside` on
# are where hardly any training photo lies; whether scores are further off there, benchmarks/face_warnings.py measures.
@dataclass(frozen=True)
class Thresholds:
    """Where each warning begins."""

    min_side: float = 60  # pixels
    min_sharpness: float = 0.09
    min_light: float = 70
    max_light: float = 230
    min_colour: float = 3
    max_turn: float = 0.2  # eye distances
    min_confidence: float = 0.88
    max_outside: float = 0.35  # share of the crop
    min_stretch: float = 0.81  # of `width`, of a face seen from the front: turning it makes it narrow too
    max_stretch: float = 1.18
    max_covered: float = 0.75
    min_texture: float = 0.09  # of 1000 training photos none has less than .11
    min_brightest: float = 110  # a photo is dark where nothing in it is bright: dark skin in good light has highlights


THRESHOLDS = Thresholds()


@dataclass(frozen=True)
class Quality:
    """What is measured of a face.

    Attributes:
        side: of its box, the shorter one, pixels of the photo.
        sharpness: contrast of what is finer than FINE_DETAIL, as a share of all contrast.
        light: mean brightness of eyes to chin, 0..255.
        colour: mean difference of a pixel's strongest and weakest channel, 0..255.
        turn: how far the nose lies beside the middle of the eyes, in eye distances.
        confidence: the detector's, 0..1.
        outside: share of the crop that lies outside the photo.
        stretch: how wide the five points lie for their height, 1 as in the template.
        covered: how likely it is that the eyes or the mouth are covered, the larger of the two, 0..1.
        brightest: the brightness that 99 % of eyes to chin do not reach, 0..255.
        texture: fine contrast of the median pixel beside that of all, from eyes to chin: skin has it everywhere, a
            drawing at its lines alone.
        shape: how wide the box is for its height, 1 as of most faces; 1 where the face leans, which widens its box.
    """

    side: float
    sharpness: float
    light: float
    colour: float
    turn: float
    confidence: float
    outside: float = 0.0
    stretch: float = 1.0
    covered: float = 0.0
    brightest: float = 0.0
    texture: float = 1.0
    shape: float = 1.0

    @property
    def width(self) -> float:
        """How wide the face is for its height, by its points and its box: 1 as most faces are."""
        return float(self.stretch ** (1 - BOX_WEIGHT) * self.shape**BOX_WEIGHT)

    def warnings(self) -> list[str]:
        """Words for a table: `small`, `blurred`, `dark`, `bright`, `grey`, `turned`, `unsure`, `cut`, `stretched`,
        `covered`, `drawn`."""
        limits = THRESHOLDS
        turned = self.turn > limits.max_turn
        is_cut = self.outside > limits.max_outside
        narrow = self.width < limits.min_stretch and not turned
        is_true = {
            "small": self.side < limits.min_side,
            "blurred": self.sharpness < limits.min_sharpness,
            "dark": self.light < limits.min_light and self.brightest < limits.min_brightest,
            "bright": self.light > limits.max_light,
            "grey": self.colour < limits.min_colour,
            "turned": turned,
            "unsure": self.confidence < limits.min_confidence,
            "cut": is_cut,
            "stretched": (narrow or self.width > limits.max_stretch) and not is_cut,
            "covered": self.covered > limits.max_covered,
            "drawn": self.texture < limits.min_texture and self.covered <= limits.max_covered,  # else of a mask
        }
        return [word for word, true in is_true.items() if true]


# What was measured of a face stays as long as the face does: the interval and the warnings both ask for it.
_measured: WeakKeyDictionary[Face, dict[CropConfig, Quality]] = WeakKeyDictionary()


def quality(face: Face, config: CropConfig) -> Quality:
    """Measure a face on the crop of `config`, once; of a whole picture only colour, light and sharpness are known.

    A face with edited pixels is the face as it was: explanations change regions, not how the photo was taken.
    """
    face = getattr(face, "unedited", face)
    kept = _measured.setdefault(face, {})
    if config not in kept:
        kept[config] = _measure(face, config)
    return kept[config]


def measurements(faces: Sequence[Face], config: CropConfig) -> dict[str, NDArray[np.float64]]:
    """The fields of `Quality`, float64 (N,) each."""
    measured = [quality(face, config) for face in faces]
    return {f.name: np.array([getattr(one, f.name) for one in measured], np.float64) for f in fields(Quality)}


def _measure(face: Face, config: CropConfig) -> Quality:
    crop = face.crop(config)
    side = len(crop)
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) if crop.shape[2] == 3 else crop[..., 0], np.float32)
    inner = grey[int(0.35 * side) : int(0.9 * side), int(0.25 * side) : int(0.75 * side)]
    fine = inner - cv2.GaussianBlur(inner, (0, 0), FINE_DETAIL * side / 256)
    aligned = config.geometry == "aligned" and len(face.points) > 0
    return Quality(
        min(face.box[2:]), float(fine.std() / max(inner.std(), 1)), float(inner.mean()), _colour(crop),
        _turn(face), face.confidence, *(_placed(face, config) if aligned else (0.0, 1.0)),
        max(covered(crop, config).values()) if aligned else 0.0, _brightest(inner), _texture(inner, side),
        _shape(face) if aligned else 1.0,
    )  # fmt: skip


def _brightest(inner: NDArray[np.float32]) -> float:
    """The 99th percentile, without `np.percentile`, whose first call imports numpy.ma: 14 ms."""
    place = int(0.99 * (inner.size - 1))
    return float(np.partition(inner, place, axis=None)[place])


def _texture(inner: NDArray[np.float32], side: int) -> float:
    """Of what is finer than FINE_DETAIL, once noise is gone; 1 where hardly a pixel is neither black nor white."""
    calm = cv2.medianBlur(inner, 5)
    fine = np.abs(calm - cv2.GaussianBlur(calm, (0, 0), FINE_DETAIL * side / 256))
    fine = fine[(calm > CLIPPED) & (calm < 255 - CLIPPED)]
    if len(fine) < inner.size / 4:
        return 1.0
    return float(np.partition(fine, len(fine) // 2)[len(fine) // 2] / max(np.sqrt((fine * fine).mean()), 1e-6))


def _shape(face: Face) -> float:
    """Of the box as it stands around the upright face."""
    across, down = face.box[2:] if round(face.roll / 90) % 2 == 0 else face.box[:1:-1]
    leans = abs((face.roll + 45) % 90 - 45) > MAX_LEAN
    return 1.0 if leans or min(across, down) <= 0 else across / down / BOX_SHAPE


def _colour(crop: Crop) -> float:
    if crop.shape[2] == 1:
        return 255.0  # a network on grey crops does not mind
    red, green, blue = cv2.split(crop)
    highest, lowest = cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue)
    return float(cv2.subtract(highest, lowest).mean())


def _turn(face: Face) -> float:
    if not len(face.points):
        return 0.0
    left, right, nose = face.points[:3]
    across = right - left
    return abs(float((nose - (left + right) / 2) @ across / max(across @ across, 1e-9)))


def _placed(face: Face, config: CropConfig) -> tuple[float, float]:
    """Which share of the crop lies outside the photo, and how wide the five points lie for their height."""
    inverse = np.asarray(cv2.invertAffineTransform(crop_matrix(face.points, config)), np.float64)
    steps = (np.arange(GRID) + 0.5) / GRID * config.size - 0.5
    places = transform(np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2), inverse)
    height, width = face.photo_size or (np.inf, np.inf)
    inside = ((places >= -0.5) & (places <= (width - 0.5, height - 0.5))).all(1) | (face.photo_size is None)
    # the affine map that takes the template onto the points, without its rotation: how it stretches both axes
    corners = np.column_stack([template(config), np.ones(5)])
    linear = np.linalg.lstsq(corners, face.points, rcond=None)[0][:2].T
    values, axes = np.linalg.eigh(linear.T @ linear)
    stretch = (axes * np.sqrt(np.maximum(values, 0))) @ axes.T
    return 1 - float(inside.mean()), float(stretch[0, 0] / max(stretch[1, 1], 1e-9))

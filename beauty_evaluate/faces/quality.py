"""When a score means little: faces that are small, turned, blurred, dark, bright, grey or doubtful."""

from dataclasses import dataclass

import cv2
import numpy as np

from beauty_evaluate.config import CropConfig
from beauty_evaluate.faces.detect import Face


# The thresholds are where degraded photos of SCUT-FBP5500 begin to move their own score by a tenth of a point and
# more, or where hardly any of its faces lies: benchmarks/drift.md, by benchmarks/drift.py.
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


THRESHOLDS = Thresholds()
FINE_DETAIL = 2.0  # pixels of the 256 of a crop's side: what is finer is gone first when a photo is blurred


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
    """

    side: float
    sharpness: float
    light: float
    colour: float
    turn: float
    confidence: float

    def warnings(self) -> list[str]:
        """Words for a table: `small`, `blurred`, `dark`, `bright`, `grey`, `turned`, `unsure`."""
        below = {
            "small": self.side < THRESHOLDS.min_side,
            "blurred": self.sharpness < THRESHOLDS.min_sharpness,
            "dark": self.light < THRESHOLDS.min_light,
            "bright": self.light > THRESHOLDS.max_light,
            "grey": self.colour < THRESHOLDS.min_colour,
            "turned": self.turn > THRESHOLDS.max_turn,
            "unsure": self.confidence < THRESHOLDS.min_confidence,
        }
        return [word for word, true in below.items() if true]


def quality(face: Face, config: CropConfig) -> Quality:
    """Measure a face on the crop of `config`; of a whole picture only colour, light and sharpness are known."""
    crop = face.crop(config)
    side = len(crop)
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) if crop.shape[2] == 3 else crop[..., 0], np.float32)
    inner = grey[int(0.35 * side) : int(0.9 * side), int(0.25 * side) : int(0.75 * side)]
    fine = inner - cv2.GaussianBlur(inner, (0, 0), FINE_DETAIL * side / 256)
    spread = crop.max(2) - crop.min(2)  # uint8, and never below 0
    colour = float(spread.mean()) if crop.shape[2] == 3 else 255.0  # a network on grey crops does not mind
    return Quality(
        min(face.box[2:]), float(fine.std() / max(inner.std(), 1)), float(inner.mean()), colour,
        _turn(face), face.confidence,
    )  # fmt: skip


def _turn(face: Face) -> float:
    if not len(face.points):
        return 0.0
    left, right, nose = face.points[:3]
    across = right - left
    return abs(float((nose - (left + right) / 2) @ across / max(across @ across, 1e-9)))

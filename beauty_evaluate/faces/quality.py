"""When a score means little: faces that are small, turned, blurred, dark, bright, grey or doubtful."""

from dataclasses import dataclass

import cv2
import numpy as np

from beauty_evaluate.faces.detect import Face

# The limits are where degraded photos of SCUT-FBP5500 begin to move their own score by a tenth of a point and more, or
# where hardly any of its faces lies: benchmarks/drift.md, by benchmarks/drift.py.
SMALL, SHARP, DARK, BRIGHT, GREY, TURNED, UNSURE = 60, 0.09, 70, 230, 3, 0.2, 0.88
FINE = 2.0  # pixels of the 256 of a crop's side: what is finer is gone first when a photo is blurred


@dataclass(frozen=True)
class Quality:
    """What is measured of a face.

    side: of its box, the shorter one, pixels of the photo. sharpness: contrast of what is finer than FINE, as a share
    of all contrast. light: mean brightness of eyes to chin, 0..255. colour: mean difference of a pixel's strongest and
    weakest channel, 0..255. turn: how far the nose lies beside the middle of the eyes, in eye distances.
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
        found = {
            "small": self.side < SMALL,
            "blurred": self.sharpness < SHARP,
            "dark": self.light < DARK,
            "bright": self.light > BRIGHT,
            "grey": self.colour < GREY,
            "turned": self.turn > TURNED,
            "unsure": self.confidence < UNSURE,
        }
        return [word for word, true in found.items() if true]


def quality(face: Face) -> Quality:
    """Measure a face on an aligned crop; of a whole picture only colour, light and sharpness are known."""
    crop, side = face.crop, len(face.crop)
    grey = np.asarray(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) if crop.shape[2] == 3 else crop[..., 0], np.float32)
    inner = grey[int(0.35 * side) : int(0.9 * side), int(0.25 * side) : int(0.75 * side)]
    fine = inner - cv2.GaussianBlur(inner, (0, 0), FINE * side / 256)
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

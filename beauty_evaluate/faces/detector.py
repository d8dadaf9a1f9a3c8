"""YuNet (Wu, Peng and Yu, 2023, doi 10.1007/s11633-023-1423-y): the faces it sees in a view of a photo."""

import threading
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import THIRD_PARTY
from beauty_evaluate.errors import WeightsError
from beauty_evaluate.faces.align import Points, roll, transform
from beauty_evaluate.images import Picture

YUNET = THIRD_PARTY / "face_detection_yunet_2023mar.onnx"
MIN_SIDE = 64  # pixels: on narrower pictures YuNet answers with boxes that are not numbers

_local = threading.local()  # a detector keeps its last input: one per thread


@dataclass(frozen=True, eq=False)
class View:
    """A picture for the detector, and where it comes from.

    Attributes:
        pixels: uint8 (h, w, 3) RGB.
        to_photo: (2, 3), from its pixels to those of the photo.
    """

    pixels: Picture
    to_photo: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Detection:
    """A face as the detector sees it.

    Attributes:
        box: x, y, width, height; it may reach outside.
        points: (5, 2), as in `align.TEMPLATE`: left and right are those of the upright face.
        confidence: 0..1.
        seen_side: the shorter side of the box in the view, pixels of the view.
        seen_roll: how far the view was turned, as `align.roll`.
    """

    box: tuple[float, float, float, float]
    points: Points
    confidence: float
    seen_side: float
    seen_roll: float

    @property
    def side(self) -> float:
        """The shorter side of the box, pixels of the photo."""
        return min(self.box[2:])

    @property
    def centre(self) -> NDArray[np.float64]:
        """Of the box: (2,), the corner of the photo's first pixel being 0, 0."""
        x, y, w, h = self.box
        return np.array([x + w / 2, y + h / 2])

    @property
    def roll(self) -> float:
        """In the photo, as `align.roll`."""
        return roll(self.points)

    @property
    def tilt(self) -> float:
        """How far from upright the detector saw it: degrees, -180..180."""
        return (self.roll - self.seen_roll + 180) % 360 - 180


def detect(view: View, threshold: float) -> list[Detection]:
    """The faces in a view, in pixels of the photo, surest first. threshold: the lowest confidence, 0..1."""
    height, width = view.pixels.shape[:2]
    right, below = max(0, MIN_SIDE - width), max(0, MIN_SIDE - height)
    pixels = view.pixels
    if right or below:
        pixels = np.asarray(cv2.copyMakeBorder(pixels, 0, below, 0, right, cv2.BORDER_REPLICATE), np.uint8)
    detector = _detector()
    detector.setScoreThreshold(threshold)
    detector.setInputSize((width + right, height + below))
    rows = detector.detect(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1]
    detections = []
    for row in [] if rows is None else np.asarray(rows, np.float64):
        x, y, w, h = row[:4]
        if np.isfinite(row).all() and w > 0 and h > 0 and 0 <= x + w / 2 < width and 0 <= y + h / 2 < height:
            detections.append(_in_photo(row, view.to_photo))
    return sorted(detections, key=lambda face: -face.confidence)


def _in_photo(row: NDArray[np.float64], to_photo: NDArray[np.float64]) -> Detection:
    """A row of YuNet, in pixels of the photo. The box of a turned face stands upright around it."""
    centre = transform((row[:2] + row[2:4] / 2)[None] - 0.5, to_photo)[0] + 0.5
    w, h = row[2:4] * np.hypot(to_photo[0, :2], to_photo[1, :2])
    if abs(to_photo[0, 0]) < abs(to_photo[0, 1]):  # the view is nearer to lying on its side
        w, h = h, w
    box = (float(centre[0] - w / 2), float(centre[1] - h / 2), float(w), float(h))
    seen_roll = float(np.degrees(np.arctan2(to_photo[1, 0], to_photo[0, 0])))
    points = transform(row[4:14].reshape(5, 2), to_photo)
    return Detection(box, points, float(row[14]), float(min(row[2:4])), seen_roll)


def release() -> None:
    """Give the memory of this thread's detector back; the next photo makes another."""
    vars(_local).pop("detector", None)


def _detector() -> cv2.FaceDetectorYN:
    if not hasattr(_local, "detector"):
        if not YUNET.is_file():
            raise WeightsError(f"The face detector is missing: {YUNET}. Restore it.")
        _local.detector = cv2.FaceDetectorYN.create(str(YUNET), "", (320, 320), nms_threshold=0.3, top_k=5000)
    return _local.detector  # type: ignore[no-any-return]

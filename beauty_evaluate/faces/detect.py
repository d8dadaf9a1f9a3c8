"""Faces in a photo: YuNet's boxes and five points, and the aligned crop of each."""

import threading
from dataclasses import dataclass, replace

import cv2
import numpy as np

from beauty_evaluate.config import THIRD_PARTY, CropConfig
from beauty_evaluate.errors import PhotoError, WeightsError
from beauty_evaluate.faces.align import Points, aligned_crop, whole_crop
from beauty_evaluate.images import Picture

YUNET = THIRD_PARTY / "face_detection_yunet_2023mar.onnx"
LEAST_SIDE = 64  # on narrower pictures YuNet answers with boxes that are not numbers

_local = threading.local()  # a detector keeps its last input: one per thread


@dataclass(frozen=True)
class Face:
    """One face of a photo.

    box: x, y, width, height in pixels of the photo (may reach outside it). points: (5, 2) pixels, as in
    `align.TEMPLATE`; empty for geometry `whole`. confidence: 0..1. crop: uint8 (size, size, 3), or 1 channel if grey.
    """

    box: tuple[float, float, float, float]
    points: Points
    confidence: float
    crop: Picture


def find_faces(photo: Picture, config: CropConfig) -> list[Face]:
    """Every face of a photo, left to right, each with its crop.

    photo: uint8 (H, W, 3) RGB. With geometry `whole` the photo itself is the one face.
    Raises PhotoError with status `no_face`.
    """
    if config.geometry == "whole":
        height, width = photo.shape[:2]
        return [Face((0, 0, width, height), np.empty((0, 2)), 1.0, whole_crop(photo, config))]
    found = _detect(photo, config)
    if not found:
        raise PhotoError("no_face", "Expected a photo with a face seen from the front. Received: no face found in it.")
    return [replace(face, crop=aligned_crop(photo, face.points, config)) for face in sorted(found, key=_left)]


def main_face(faces: list[Face]) -> Face:
    """The largest face: the one a portrait is of."""
    return max(faces, key=lambda face: face.box[2] * face.box[3])


def _left(face: Face) -> tuple[float, float]:
    return face.box[0], face.box[1]


def _detect(photo: Picture, config: CropConfig) -> list[Face]:
    """Faces without crops."""
    height, width = photo.shape[:2]
    scale = min(1.0, config.detector_side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = photo if scale == 1 else cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    right, below = max(0, LEAST_SIDE - size[0]), max(0, LEAST_SIDE - size[1])
    if right or below:
        small = cv2.copyMakeBorder(small, 0, below, 0, right, cv2.BORDER_REPLICATE)
    detector = _detector()
    detector.setScoreThreshold(config.detector_threshold)
    detector.setInputSize((size[0] + right, size[1] + below))
    rows = detector.detect(cv2.cvtColor(small, cv2.COLOR_RGB2BGR))[1]
    stretch = np.array([width / size[0], height / size[1]])
    faces = []
    for row in [] if rows is None else np.asarray(rows, np.float64):
        x, y, w, h = (row[:4].reshape(2, 2) * stretch).reshape(4)
        if not (np.isfinite(row).all() and w > 0 and h > 0 and 0 <= x + w / 2 < width and 0 <= y + h / 2 < height):
            continue
        points = (row[4:14].reshape(5, 2) + 0.5) * stretch - 0.5
        faces.append(Face((float(x), float(y), float(w), float(h)), points, float(row[14]), np.empty(0, np.uint8)))
    return faces


def release() -> None:
    """Give the memory of this thread's detector back; the next photo makes another."""
    vars(_local).pop("detector", None)


def _detector() -> cv2.FaceDetectorYN:
    if not hasattr(_local, "detector"):
        if not YUNET.is_file():
            raise WeightsError(f"Expected the face detector at {YUNET}. Received: no such file; restore it.")
        _local.detector = cv2.FaceDetectorYN.create(str(YUNET), "", (320, 320), nms_threshold=0.3, top_k=5000)
    return _local.detector  # type: ignore[no-any-return]

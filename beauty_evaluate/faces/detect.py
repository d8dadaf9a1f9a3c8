"""Faces in a photo: YuNet's boxes and five points. A photo is searched once; each rater cuts its own crop."""

import threading
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from beauty_evaluate.config import THIRD_PARTY, CropConfig
from beauty_evaluate.errors import PhotoError, WeightsError
from beauty_evaluate.faces.align import (
    Crop,
    Points,
    aligned_crop,
    paste_aligned,
    realigned_crop,
    whole_crop,
)
from beauty_evaluate.images import Picture

YUNET = THIRD_PARTY / "face_detection_yunet_2023mar.onnx"
MIN_SIDE = 64  # pixels: on narrower pictures YuNet answers with boxes that are not numbers

_local = threading.local()  # a detector keeps its last input: one per thread


@dataclass(frozen=True, eq=False)
class Face:
    """One face of a photo.

    Attributes:
        box: x, y, width, height in pixels of the photo; it may reach outside.
        points: (5, 2) pixels of the photo, as in `align.TEMPLATE`; (0, 2) where nobody looked for them.
        confidence: of the detector, 0..1.
        photo: uint8 (H, W, 3) RGB; None once `without_photo` has let it go.

    Example:
        >>> from beauty_evaluate import images
        >>> (face,) = find_faces(images.read("examples/grace_hopper.jpg"))
        >>> face.crop(CropConfig(size=64)).shape
        (64, 64, 3)
    """

    box: tuple[float, float, float, float]
    points: Points
    confidence: float
    photo: Picture | None = field(default=None, repr=False)
    _crops: dict[CropConfig, Crop] = field(default_factory=dict, repr=False)
    _size: tuple[int, int] | None = field(default=None, repr=False)  # of a photo that has gone

    @property
    def photo_size(self) -> tuple[int, int] | None:
        """Height and width of the photo, pixels, even once it has gone; None where it was never there."""
        return self._size if self.photo is None else self.photo.shape[:2]

    def crop(self, config: CropConfig) -> Crop:
        """The face as a rater sees it, made once and kept.

        Args:
            config: of the rater.

        Returns:
            uint8 (size, size, 3), with one channel if `config.grey`; float32 where `with_pixels` gave such.

        Raises:
            ValueError: the photo has gone, and this crop was not kept.
        """
        if config not in self._crops:
            self._crops[config] = self._cut(config)
        return self._crops[config]

    def _cut(self, config: CropConfig) -> Crop:
        if self.photo is None:
            raise ValueError("Expected a face with its photo, or a crop that was kept. Received: neither.")
        if config.geometry == "whole":
            return whole_crop(self.photo, config)
        return aligned_crop(self.photo, self.points, config)

    def with_pixels(self, pixels: Crop, config: CropConfig) -> "Face":
        """The same face whose crop is an edited one: landmarks and photo stay, so that every rater can score it.

        Args:
            pixels: uint8 or float32 (size, size, C), an edit of `crop(config)`.
            config: of that crop. Crops of another config get the edit laid into the photo, or what of it they show.
        """
        unedited = self.unedited if isinstance(self, _EditedFace) else self
        size, crops = self.photo_size, {config: pixels}
        return _EditedFace(self.box, self.points, self.confidence, self.photo, crops, size, config, unedited)

    def without_photo(self, *configs: CropConfig) -> "Face":
        """The same face with the crops of these configs alone: a large photo need not stay in memory."""
        crops = {config: self.crop(config) for config in configs}
        return replace(self, photo=None, _crops=crops, _size=self.photo_size)


@dataclass(frozen=True, eq=False)
class _EditedFace(Face):
    """A face whose crop of `edited` was changed, and the face as it was."""

    edited: CropConfig = field(default_factory=CropConfig)
    unedited: Face | None = field(default=None, repr=False)

    def _cut(self, config: CropConfig) -> Crop:
        pixels = self._crops[self.edited]
        if self.edited.geometry == "whole":
            raise ValueError(
                "Expected an edit of an aligned crop, which others can be cut from. Received: a whole one."
            )
        if self.photo is None or not len(self.points):
            return realigned_crop(pixels, self.edited, config)
        photo = paste_aligned(self.photo, pixels, self.points, self.edited)
        return replace_photo(self, photo).crop(config)


def replace_photo(face: Face, photo: Picture) -> Face:
    """The same box and points on another photo of the same size."""
    return Face(face.box, face.points, face.confidence, photo)


def find_faces(photo: Picture, config: CropConfig | None = None) -> list[Face]:
    """Every face of a photo, left to right.

    Args:
        photo: uint8 (H, W, 3) RGB.
        config: whose detector settings count (default: `CropConfig()`). With geometry `whole` the photo itself is the
            one face.

    Raises:
        PhotoError: with status `no_face`.
    """
    config = config or CropConfig()
    if config.geometry == "whole":
        height, width = photo.shape[:2]
        return [Face((0, 0, width, height), np.empty((0, 2)), 1.0, photo)]
    faces = _detect(photo, config)
    if not faces:
        raise PhotoError("no_face", "No face was found. Use a photo with a face seen from the front.")
    return sorted(faces, key=lambda face: face.box[:2])


def main_face(faces: list[Face]) -> Face:
    """The largest face: the one a portrait is of."""
    return max(faces, key=lambda face: face.box[2] * face.box[3])


def _detect(photo: Picture, config: CropConfig) -> list[Face]:
    height, width = photo.shape[:2]
    scale = min(1.0, config.detector_side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = photo if scale == 1 else cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    right, below = max(0, MIN_SIDE - size[0]), max(0, MIN_SIDE - size[1])
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
        faces.append(Face((float(x), float(y), float(w), float(h)), points, float(row[14]), photo))
    return faces


def release() -> None:
    """Give the memory of this thread's detector back; the next photo makes another."""
    vars(_local).pop("detector", None)


def _detector() -> cv2.FaceDetectorYN:
    if not hasattr(_local, "detector"):
        if not YUNET.is_file():
            raise WeightsError(f"The face detector is missing: {YUNET}. Restore it.")
        _local.detector = cv2.FaceDetectorYN.create(str(YUNET), "", (320, 320), nms_threshold=0.3, top_k=5000)
    return _local.detector  # type: ignore[no-any-return]

"""Faces in a photo: boxes and five points. A photo is searched once; each rater cuts its own crop."""

from dataclasses import dataclass, field, replace

import numpy as np

from beauty_evaluate.config import CropConfig
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.faces import second_look
from beauty_evaluate.faces.align import (
    Crop,
    Points,
    aligned_crop,
    paste_aligned,
    realigned_crop,
    roll,
    whole_crop,
)
from beauty_evaluate.faces.detector import YUNET as YUNET
from beauty_evaluate.faces.detector import release as release
from beauty_evaluate.images import Picture


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

    @property
    def roll(self) -> float:
        """How far it is turned in the plane of the photo: degrees clockwise, -180..180; 0 without points."""
        return roll(self.points) if len(self.points) else 0.0

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
        return _EditedFace(self.box, self.points, self.confidence, self.photo, {config: pixels}, config)

    def without_photo(self, *configs: CropConfig) -> "Face":
        """The same face with the crops of these configs alone: a large photo need not stay in memory."""
        return replace(self, photo=None, _crops={config: self.crop(config) for config in configs})


@dataclass(frozen=True, eq=False)
class _EditedFace(Face):
    """A face whose crop of `edited` was changed."""

    edited: CropConfig = field(default_factory=CropConfig)

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
    """Every face of a photo, left to right: turned by any angle, and small ones of very large photos too.

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
    detections = second_look.find(photo, config)
    if not detections:
        raise PhotoError("no_face", "No face was found. Use a photo with a face seen from the front.")
    faces = [Face(seen.box, seen.points, seen.confidence, photo) for seen in detections]
    return sorted(faces, key=lambda face: face.box[:2])


def main_face(faces: list[Face]) -> Face:
    """The largest face: the one a portrait is of."""
    return max(faces, key=lambda face: face.box[2] * face.box[3])

"""468 landmarks and the person mask of an aligned crop, by MediaPipe's two small networks."""

import threading
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import THIRD_PARTY, CropConfig
from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.faces.align import Points
from beauty_evaluate.images import Picture, three_channels

MESH, PERSON = "face_landmark.tflite", "selfie_segmentation.tflite"
MESH_SIDE, PERSON_SIDE = 192, 256  # what the two networks were trained on
N_POINTS = 468

# The square of the crop (margin 0) that the mesh network sees, as shares of its side: MediaPipe's own is a face box
# widened by a quarter, and this is its mean over SCUT-FBP5500, where the aligned crop has put the face anyway.
_CENTRE, _SIDE = (0.5, 0.6), 1.0

_local = threading.local()  # a network keeps its last input: one per thread
_reading = threading.Lock()  # OpenCV fills its table of TFLite's operators on the first read, unguarded


def landmarks(crop: Picture, config: CropConfig) -> Points:
    """MediaPipe's face mesh (Kartynnik et al. 2019, arXiv 1907.06724) on an aligned crop: float64 (468, 2), x and y in
    crop pixels; points may lie outside the crop. crop: uint8 (size, size, 3 or 1). ConfigError for crops that are not
    aligned, WeightsError without the network's file."""
    if config.geometry != "aligned":
        raise ConfigError(
            "Landmarks need aligned crops, and this network looks at whole pictures. Use weights on aligned crops."
        )
    whole = config.size / (1 + 2 * config.margin)  # the side of the crop without its margin
    scale = MESH_SIDE / (_SIDE * whole)
    centre = (config.size - whole) / 2 + np.array(_CENTRE) * whole - 0.5
    shift = (MESH_SIDE - 1) / 2 - scale * centre
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    window = cv2.warpAffine(
        three_channels(crop), matrix, (MESH_SIDE, MESH_SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    outputs = _answer(MESH, window)
    points = next(values for values in outputs if values.size == 3 * N_POINTS).reshape(N_POINTS, 3)[:, :2]
    return np.asarray((points - shift) / scale, np.float64)


def person_mask(crop: Picture) -> NDArray[np.float32]:
    """How surely each pixel shows the person, float32 (size, size), 0..1. crop: uint8 (size, size, 3 or 1)."""
    small = cv2.resize(three_channels(crop), (PERSON_SIDE, PERSON_SIDE), interpolation=cv2.INTER_AREA)
    (mask,) = _answer(PERSON, small)
    side = len(crop)
    return np.clip(cv2.resize(mask.reshape(PERSON_SIDE, PERSON_SIDE), (side, side)), 0, 1)


def _answer(file: str, picture: NDArray[Any]) -> list[NDArray[np.float32]]:
    """All outputs of a network for one RGB picture."""
    if not hasattr(_local, file):
        path = THIRD_PARTY / file
        if not path.is_file():
            raise WeightsError(f"No such file: {path}. Restore it.")
        with _reading:
            setattr(_local, file, cv2.dnn.readNetFromTFLite(str(path)))
    net = getattr(_local, file)
    net.setInput(np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32) / 255)
    return [np.asarray(values, np.float32) for values in net.forward(net.getUnconnectedOutLayersNames())]

"""Running a network: the exported file without TensorFlow, and the one prediction for every way to run it."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.errors import WeightsError
from beauty_evaluate.images import Picture

PredictFn = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""float32 crops (N, size, size, C) of 0..255 -> float32 (N, 1 + F): the rating, and the F features of its last block,
where the file of the network gives them."""

BATCH = 4  # crops a pass; with their mirror images 8: more at once take longer, since they leave the cache


def opencv_predictor(path: Path) -> PredictFn:
    """The network in an ONNX file, by OpenCV: fastest start-up; not thread-safe. Raises WeightsError."""
    try:
        net = cv2.dnn.readNetFromONNX(str(path))
    except cv2.error as error:
        raise WeightsError(f"{path} cannot be read as an ONNX network. Restore it or export it again.") from error

    names = net.getUnconnectedOutLayersNames()

    def predictor(crops: NDArray[np.float32]) -> NDArray[np.float32]:
        rows = []
        for crop in crops:  # together they take more memory, and no less time
            net.setInput(np.ascontiguousarray(crop[None], np.float32))
            rows.append(_rating_first(net.forward(names)))
        return np.concatenate(rows)

    return predictor


def onnxruntime_predictor(path: Path, threads: int = 0) -> PredictFn:
    """The same by ONNX Runtime, for hundreds of crops: it takes longer to start and two thirds of the time to run.

    threads: for one call; 0: all cores. For use from any number of threads. Raises WeightsError.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # or it writes a file, and tells its makers how it is used
    import onnxruntime  # late, since one face is scored sooner without it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 4
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own errors share no other class
        raise WeightsError(f"{path} cannot be read as an ONNX network. Restore it or export it again.") from error
    (name,) = (given.name for given in session.get_inputs())

    def predictor(crops: NDArray[np.float32]) -> NDArray[np.float32]:
        return _rating_first(session.run(None, {name: np.ascontiguousarray(crops, np.float32)}))

    return predictor


def _rating_first(outputs: Sequence[Any]) -> NDArray[np.float32]:
    """The outputs of a network side by side, in whatever order a runtime gives them: the rating is one number."""
    rows = [np.asarray(output, np.float32).reshape(len(output), -1) for output in outputs]
    return np.concatenate(sorted(rows, key=lambda output: output.shape[1]), axis=1)


@dataclass(frozen=True)
class Views:
    """What a network says of N crops, seen as they are and in the mirror.

    Attributes:
        ratings: float64 (N,), rating points, the mean over both views.
        mirror_gap: float64 (N,), by how many rating points the two views differ; NaN where the crop alone is seen.
        features: float64 (N, F), the mean of the features over both views; F is 0 where a file gives none.

    Example:
        >>> views = look(lambda crops: crops.mean((1, 2)), np.ones((3, 8, 8, 2), np.uint8), flip_tta=True)
        >>> views.ratings.tolist(), views.mirror_gap.tolist(), views.features.shape
        ([1.0, 1.0, 1.0], [0.0, 0.0, 0.0], (3, 1))
    """

    ratings: NDArray[np.float64]
    mirror_gap: NDArray[np.float64]
    features: NDArray[np.float64]


def look(predictor: PredictFn, crops: Picture | Sequence[Picture], flip_tta: bool) -> Views:
    """The one look at crops by one network behind scores, evaluation, intervals and explanations.

    Args:
        predictor: the network.
        crops: uint8 or float32 (N, size, size, C) of 0..255.
        flip_tta: the mean over the crop and its mirror image, as the card says.

    Returns:
        Its ratings, which may leave the scale by a little, and what else it gives.

    Raises:
        ValueError: no crops.
    """
    pixels = np.asarray(crops)
    if pixels.ndim != 4 or not len(pixels):
        raise ValueError(f"Expected crops of shape (N, size, size, channels), N > 0. Received: shape {pixels.shape}.")
    parts = []
    for start in range(0, len(pixels), BATCH):
        part = pixels[start : start + BATCH]
        rows = predictor(_both(part) if flip_tta else part.astype(np.float32)).astype(np.float64)
        parts.append(rows.reshape(2 if flip_tta else 1, len(part), -1))
    views = np.concatenate(parts, axis=1)
    mean, gap = views.mean(0), np.ptp(views[..., 0], axis=0) if flip_tta else np.full(len(pixels), np.nan)
    return Views(mean[:, 0], gap, mean[:, 1:])


def predict(predictor: PredictFn, crops: Picture | Sequence[Picture], flip_tta: bool) -> NDArray[np.float64]:
    """The ratings of crops by one network, as `look`: float64 (N,), rating points. ValueError for no crops."""
    return look(predictor, crops, flip_tta).ratings


def _both(crops: NDArray[Any]) -> NDArray[np.float32]:
    """Crops (N, size, size, C), then their mirror images: float32 (2N, size, size, C)."""
    both = np.empty((2, *crops.shape), np.float32)
    both[0] = crops
    for crop, mirrored in zip(*both, strict=True):
        mirrored[:] = cv2.flip(crop, 1).reshape(crop.shape)  # several times as fast as a negative step
    return both.reshape(-1, *crops.shape[1:])

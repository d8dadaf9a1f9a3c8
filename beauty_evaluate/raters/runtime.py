"""Running a network: the exported file without TensorFlow, and the one scoring function for every way to run it."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.errors import WeightsError
from beauty_evaluate.images import Picture

PredictFn = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""float32 crops (N, size, size, C) of 0..255 -> float32 ratings (N,)."""

BATCH = 4  # crops a pass; with their mirror images 8: more at once take longer, since they leave the cache


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def opencv_predictor(path: Path) -> PredictFn:
    """The network in an ONNX file, run by OpenCV, which is there soonest. Not for use from two threads at once. Raises
    WeightsError."""
    try:
        net = cv2.dnn.readNetFromONNX(str(path))
    except cv2.error as error:
        raise WeightsError(f"Expected an ONNX network in {path}. Received: a file that cannot be read.") from error

    def forward(crops: NDArray[np.float32]) -> NDArray[np.float32]:
        found = []
        for crop in crops:  # together they take more memory, and no less time
            net.setInput(np.ascontiguousarray(crop[None], np.float32))
            found.append(net.forward().reshape(-1)[0])
        return np.array(found, np.float32)

    return forward


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
        raise WeightsError(f"Expected an ONNX network in {path}. Received: a file that cannot be read.") from error
    (name,) = (given.name for given in session.get_inputs())

    def forward(crops: NDArray[np.float32]) -> NDArray[np.float32]:
        (found,) = session.run(None, {name: np.ascontiguousarray(crops, np.float32)})
        return np.asarray(found, np.float32).reshape(-1)

    return forward


def predict(forward: PredictFn, crops: Picture | Sequence[Picture], flip_tta: bool) -> NDArray[np.float64]:
    """Score crops: the one function behind use.py, evaluation, intervals and explanations.

    crops: uint8 (N, size, size, C). flip_tta: the mean over the crop and its mirror image, as the card says.
    Returns float64 (N,) on the 1..5 scale (a network may leave it by a little). ValueError for no crops.
    """
    pixels = np.asarray(crops)
    if pixels.ndim != 4 or not len(pixels):
        raise ValueError(f"Expected crops of shape (N, size, size, channels), N > 0. Received: shape {pixels.shape}.")
    scores = []
    for start in range(0, len(pixels), BATCH):
        part = pixels[start : start + BATCH]
        found = forward(_both(part) if flip_tta else part.astype(np.float32)).astype(np.float64)
        scores.append(found.reshape(2, -1).mean(0) if flip_tta else found)
    return np.concatenate(scores)


def _both(crops: NDArray[Any]) -> NDArray[np.float32]:
    """Crops (N, size, size, C), then their mirror images: float32 (2N, size, size, C)."""
    both = np.empty((2, *crops.shape), np.float32)
    both[0] = crops
    for crop, mirrored in zip(*both, strict=True):
        mirrored[:] = cv2.flip(crop, 1).reshape(crop.shape)  # several times as fast as a negative step
    return both.reshape(-1, *crops.shape[1:])

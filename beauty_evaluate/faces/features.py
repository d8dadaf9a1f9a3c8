"""All named features of a face, by region: what the mesh says of it, and its skin."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import CropConfig
from beauty_evaluate.faces import geometry, skin
from beauty_evaluate.faces.align import Crop
from beauty_evaluate.faces.landmarks import landmarks

NAMES = (*(feature.name for feature in geometry.FEATURES), *skin.NAMES)
REGIONS = ("eyes", "jaw", "nose", "lips", "cheeks", "skin")
REGION_OF = np.array([*(feature.region for feature in geometry.FEATURES), *[skin.REGION] * len(skin.NAMES)])
"""(F,) the region that each feature is of: one of REGIONS, or `geometry.WHOLE` for proportions of the face."""


def columns(region: str) -> NDArray[np.int64]:
    """The places of a region's features among NAMES, int64 (n,).

    Example:
        >>> [NAMES[i] for i in columns("skin")][0]
        'skin sharpness'
    """
    return np.flatnonzero(region == REGION_OF)


def measure(crops: Sequence[Crop], config: CropConfig) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """All features of faces, and the landmarks behind them.

    Args:
        crops: N times uint8 or float32 (size, size, C) of 0..255, aligned.
        config: of the crops.

    Returns:
        float64 (N, F), in the order of NAMES, and float64 (N, 468, 2), pixels of the crop.

    Raises:
        ConfigError: the crops are not aligned.

    Example:
        >>> values, points = measure([np.full((256, 256, 3), 90, np.uint8)], CropConfig())
        >>> values.shape == (1, len(NAMES)), points.shape
        (True, (1, 468, 2))
    """
    pixels = [np.clip(np.round(crop), 0, 255).astype(np.uint8) for crop in crops]
    points = np.stack([landmarks(crop, config) for crop in pixels])
    surfaces = np.stack([skin.measure(crop, mesh, config) for crop, mesh in zip(pixels, points, strict=True)])
    return np.concatenate([geometry.measure(points, config), surfaces], axis=1), points


def fingerprint() -> str:
    """What changes when a formula does, 16 hex digits: for caches.

    Example:
        >>> len(fingerprint())
        16
    """
    digest = hashlib.sha256()
    for name in ("align", "features", "geometry", "landmarks", "measures", "regions", "skin"):
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()[:16]


def named(values: NDArray[np.float64]) -> dict[str, float]:
    """The features (F,) of one face by name.

    Example:
        >>> named(np.zeros(len(NAMES)))["eye width"]
        0.0
    """
    return dict(zip(NAMES, values.tolist(), strict=True))

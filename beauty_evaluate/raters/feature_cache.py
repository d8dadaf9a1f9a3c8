"""Features that were computed once: by what computed them, and by the photo's own bytes."""

import hashlib
import io
import os
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.datasets.dataset import Sample
from beauty_evaluate.files import write_atomic

VARIABLE = "BEAUTY_CACHE"
AT_ONCE = 256  # photos after which what was computed is written: an interrupted run goes on there

Floats = NDArray[np.float32]
Compute = Callable[[list[int]], NDArray[np.floating]]


def cache_folder() -> Path:
    """Where features are kept: $BEAUTY_CACHE, else `beauty_evaluate/features` in the user's folder of caches."""
    if given := os.environ.get(VARIABLE):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "beauty_evaluate" / "features"


def photo_key(sample: Sample) -> str:
    """16 hex digits of the SHA-256 of a photo's bytes, and of its five points where a data set gives them.

    Raises:
        OSError: the file cannot be read.

    Example:
        >>> first, again, other = (
        ...     photo_key(Sample("a", 3, picture=np.full((2, 2, 3), v, np.uint8))) for v in (1, 1, 2)
        ... )
        >>> first == again, first == other
        (True, False)
    """
    digest = hashlib.sha256()
    if sample.picture is not None:
        digest.update(repr(sample.picture.shape).encode() + np.ascontiguousarray(sample.picture).tobytes())
    elif sample.path is not None:
        digest.update(sample.path.read_bytes())
    if sample.points is not None:
        digest.update(np.ascontiguousarray(sample.points, np.float64).tobytes())
    return digest.hexdigest()[:16]


def cached(folder: Path, extractor_hash: str, keys: Sequence[str], compute: Compute) -> Floats:
    """Features of photos, computed where they are not known yet, and kept.

    Args:
        folder: of the cache, such as `cache_folder()`; it is made.
        extractor_hash: of all that the features depend on but the photo: network, crop, views.
        keys: (N,) of the photos, as `photo_key`, N > 0.
        compute: given places in `keys`, at most AT_ONCE of them, the features (places, ...); a row of NaN where a
            photo has none, which is not kept.

    Returns:
        float32 (N, ...).

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> cached(folder, "double", ["1", "2"], lambda places: np.array([[2.0 * p] for p in places])).tolist()
        [[0.0], [2.0]]
        >>> cached(folder, "double", ["2"], lambda places: np.array([[np.nan]])).tolist()  # from the cache
        [[2.0]]
    """
    path = folder / f"{extractor_hash}.npz"
    rows = _read(path)
    first = {key: len(keys) - 1 - i for i, key in enumerate(reversed(keys))}
    missing = sorted(place for key, place in first.items() if key not in rows)
    nothing: Floats = np.full(1, np.nan, np.float32)
    for start in range(0, len(missing), AT_ONCE):
        places = missing[start : start + AT_ONCE]
        for place, row in zip(places, np.asarray(compute(places), np.float32), strict=True):
            nothing = row
            if not np.isnan(row).any():
                rows[keys[place]] = row
        _write(path, rows)
    if rows:
        nothing = next(iter(rows.values()))
    return np.stack([rows.get(key, np.full_like(nothing, np.nan)) for key in keys])


def _read(path: Path) -> dict[str, Floats]:
    """What was kept; a damaged file counts for nothing."""
    try:
        with np.load(path) as stored:
            return dict(zip(stored["keys"].tolist(), stored["features"], strict=True))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}


def _write(path: Path, rows: dict[str, Floats]) -> None:
    if not rows:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    np.savez(buffer, keys=np.array(list(rows)), features=np.stack(list(rows.values())))
    write_atomic(path, buffer.getbuffer())

"""Silence for libtiff, which Pillow reads compressed TIFF with: it prints damage on standard error by itself."""

import contextlib
import ctypes
import threading
from collections.abc import Iterator
from typing import Any

from PIL import _imaging

_lock = threading.Lock()
_users = 0
_before: Any = None


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Around decoding: what is damaged is raised all the same. The handler of messages is one for the whole process, so
    it is the host's again once no thread decodes. On Windows Pillow hides libtiff, and its lines are printed.

    Example:
        >>> with quiet():
        ...     pass
    """
    _use(1)
    try:
        yield
    finally:
        _use(-1)


def _use(change: int) -> None:
    """Count those who want silence, and let it begin with the first and end with the last."""
    global _users, _before
    with _lock:
        first, _users = _users == 0, _users + change
        if first:
            _before = _set_handler(None)
        elif not _users:
            _set_handler(_before)


def _set_handler(handler: int | None) -> int | None:
    """Hand libtiff another handler of errors, as an address; the one before."""
    try:
        exchange = ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler  # of the library that Pillow itself calls
    except (AttributeError, OSError):
        return None
    exchange.argtypes, exchange.restype = [ctypes.c_void_p], ctypes.c_void_p
    return exchange(handler)  # type: ignore[no-any-return]

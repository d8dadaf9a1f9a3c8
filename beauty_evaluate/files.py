"""Files that are either there whole or not at all, and the hashes that tell them apart."""

import errno
import hashlib
import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

BEYOND_ANY_FILE = 2**30  # bytes


def write_atomic(path: Path, content: bytes | memoryview) -> None:
    """Write a file so that, whatever happens, either the old one or the new one is there whole.

    The content goes into `NAME.part` beside it first, which then takes the file's place.

    Args:
        path: The file; its folder must be there.
        content: All that the file shall hold.

    Raises:
        OSError: The folder is missing, full, or may not be written to.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "card.json"
        ...     write_atomic(path, b"{}")
        ...     path.read_bytes()
        b'{}'
    """
    temporary = path.with_name(path.name + ".part")
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def lock(descriptor: int) -> bool:
    """Keep a file for this process until the descriptor is closed, or the process ends in whatever way.

    Args:
        descriptor: Of an open regular file.

    Returns:
        False if another descriptor holds it; True too where the file system knows no locks.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile() as file, open(file.name, "rb") as again:
        ...     lock(file.fileno()), lock(again.fileno())
        (True, False)
    """
    try:
        if sys.platform == "win32":  # it keeps others from reading what is locked, so a byte that is not there
            place = os.lseek(descriptor, 0, os.SEEK_CUR)
            os.lseek(descriptor, BEYOND_ANY_FILE, os.SEEK_SET)
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            finally:
                os.lseek(descriptor, place, os.SEEK_SET)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)
    return True


def sha256(path: Path) -> str:
    """Hash the content of a file.

    Args:
        path: The file, of any size: it is read in pieces.

    Returns:
        The SHA-256 digest, 64 lower-case hexadecimal digits.

    Raises:
        OSError: The file is missing or may not be read.

    Example:
        >>> sha256(Path("examples/grace_hopper.jpg"))[:8]
        'a8ca6d73'
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

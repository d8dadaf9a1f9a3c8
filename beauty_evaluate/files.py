"""Files that are either there whole or not at all, and the hashes that tell them apart."""

import hashlib
import os
from pathlib import Path


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

"""Files that are whole or not there, and their hashes."""

import hashlib
import os
from pathlib import Path


def write_atomic(path: Path, content: bytes | memoryview) -> None:
    """Write a file so that, whatever happens, either the old or the new one is there whole."""
    temporary = path.with_name(path.name + ".part")
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

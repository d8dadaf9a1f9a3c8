"""The data sets that the program reads. A new one is a file and a row of READERS."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from beauty_evaluate.config import RatingScale
from beauty_evaluate.datasets import london, mebeauty, scut, table
from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.datasets.synthetic import draw
from beauty_evaluate.errors import DataError


class Read(Protocol):
    """Reads the data set in a folder."""

    def __call__(self, folder: Path, scale: RatingScale | None = None) -> DataSet:
        """Raises DataError."""


@dataclass(frozen=True)
class Reader:
    """A row of the registry.

    Attributes:
        name: Short name.
        title: Title in messages.
        layout: What its folder holds, for messages.
        recognises: Whether a folder is this data set's, even if something in it is missing.
        read: Reads it; the scale is None unless a user said one.

    Example:
        >>> READERS["scut"].title
        'SCUT-FBP5500'
    """

    name: str
    title: str
    layout: str
    recognises: Callable[[Path], bool]
    read: Read


READERS: dict[str, Reader] = {
    reader.name: reader
    for reader in (
        Reader("scut", scut.TITLE, scut.LAYOUT, scut.recognises, scut.read),
        Reader("mebeauty", mebeauty.TITLE, mebeauty.LAYOUT, mebeauty.recognises, mebeauty.read),
        Reader("london", london.TITLE, london.LAYOUT, london.recognises, london.read),
        Reader("table", "your own", table.LAYOUT, table.recognises, table.read),
    )
}


def read(
    folder: str | os.PathLike[str] | None = None, scale: RatingScale | None = None, name: str | None = None
) -> DataSet:
    """Read the data set in a folder with the first reader that recognises it.

    Args:
        folder: None: the London set that ships with the program.
        scale: The raters' scale, for a table that does not tell it.
        name: A key of READERS, if it is not to be recognised.

    Raises:
        DataError: If there is no such folder, no reader recognises it, or the data set cannot be used.

    Example:
        >>> read().title
        'London'
    """
    if folder is None:
        return london.read(scale=scale)
    root = Path(folder)
    if not root.is_dir():
        raise DataError(f"No such folder: {root}. Check --data.")
    if name is not None:
        if name not in READERS:
            raise DataError(f"No reader {name}. Choose one of {', '.join(READERS)}.")
        return READERS[name].read(root, scale)
    for reader in READERS.values():
        if reader.recognises(root):
            return reader.read(root, scale)
    layouts = "; ".join(f"{reader.title}: {reader.layout}" for reader in READERS.values())
    raise DataError(f"No data set in {root}. It should hold one of these - {layouts}.")


def synthetic(n: int = 1200) -> DataSet:
    """The `n` faces that a training without data draws.

    Example:
        >>> synthetic(5).title
        'synthetic faces'
    """
    return draw(n)

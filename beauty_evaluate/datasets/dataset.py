"""The one record that every reader gives."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate import images
from beauty_evaluate.images import Picture

N_LANDMARKS = 86


@dataclass(frozen=True)
class Sample:
    """One labelled photo.

    score: mean rating, 1..5. group: `AF`, `AM`, `CF`, `CM` or `drawn`. path or picture: where the pixels are.
    landmarks: (86, 2) photo pixels. points: the five points, where no detector is to look for them.
    regions: masks (H, W) bool by name.
    """

    name: str
    score: float
    group: str
    path: Path | None = None
    picture: Picture | None = None
    landmarks: NDArray[np.float64] | None = None
    points: NDArray[np.float64] | None = None
    regions: dict[str, NDArray[np.bool_]] | None = None

    def read(self) -> Picture:
        """The photo, uint8 (H, W, 3) RGB. Raises PhotoError."""
        if self.picture is not None:
            return self.picture
        assert self.path is not None
        return images.read(self.path)


@dataclass(frozen=True)
class Problem:
    """Something wrong in a data set that a run can do without. row: line number in `file`, 0 if it has none."""

    file: str
    row: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}, row {self.row}: {self.text}" if self.row else f"{self.file}: {self.text}"


@dataclass(frozen=True)
class DataSet:
    """Samples by name, what was wrong, and a title for reports."""

    title: str
    samples: dict[str, Sample]
    problems: list[Problem] = field(default_factory=list)

"""The best photos of a run: of all, of each burst, of each person; and copies of their files."""

import filecmp
import io
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import BinaryIO

from beauty_evaluate.encoded import Piped
from beauty_evaluate.errors import UserError
from beauty_evaluate.formats import suffix
from beauty_evaluate.scoring.rows import Row

PIPED_STEM = "photo"  # name of a copy whose photo came without one


@dataclass(frozen=True)
class Picks:
    """Which photos are wanted, and where copies of them go.

    Attributes:
        top: how many at most; None for all that the others leave.
        of_bursts: of near-duplicates the best alone.
        of_persons: of each person's folder the best alone.
        folder: of the copies; None for none.
    """

    top: int | None = None
    of_bursts: bool = False
    of_persons: bool = False
    folder: Path | None = None

    @property
    def is_any(self) -> bool:
        """Whether photos are to be picked."""
        return self.top is not None or self.of_bursts or self.of_persons

    def check(self, resume: bool) -> None:
        """UserError for what does not go together.

        Example:
            >>> Picks(top=0).check(resume=False)
            Traceback (most recent call last):
            beauty_evaluate.errors.UserError: --top 0 picks nothing. Give a number from 1.
        """
        if self.top is not None and self.top < 1:
            raise UserError(f"--top {self.top} picks nothing. Give a number from 1.")
        if self.folder and not self.is_any:
            raise UserError("--copy-to copies the best photos. Add --top K, --best-of-burst or --best-of-person.")
        if self.is_any and resume:
            raise UserError("--resume goes on in tables alone; the best are picked from all photos. Leave one out.")

    def check_persons(self, persons: Iterable[str]) -> None:
        """UserError if the best of each person is wanted, and no photo lies in the folder of one."""
        if self.of_persons and not any(persons):
            raise UserError(
                "--best-of-person needs a folder for each person. Name a folder with subfolders, or several folders."
            )


@dataclass(frozen=True)
class Candidate:
    """A scored photo.

    Attributes:
        row: of the face that it counts with: the best one, doubtful ones last.
        person: the folder of its person; "" where that is not known.
    """

    row: Row
    person: str = ""

    @property
    def file(self) -> str:
        """Path of the photo."""
        return self.row.file


def candidate(rows: Sequence[Row], person: str = "") -> Candidate:
    """A photo with the face that it counts with."""
    return Candidate(min(rows, key=lambda row: row.place), person)


def pick(photos: Sequence[Candidate], picks: Picks) -> list[Candidate]:
    """The photos that are wanted, the highest score first, doubtful ones last.

    Args:
        photos: in any order.
        picks: which of them.

    Example:
        >>> photos = [Candidate(Row(f"{name}.jpg", 1, 1, "ok", score), "ann") for name, score in (("a", 2), ("b", 3))]
        >>> [photo.file for photo in pick(photos, Picks(of_persons=True))]
        ['b.jpg']
    """
    order = sorted(photos, key=lambda photo: (*photo.row.place, photo.file))
    if picks.of_bursts:
        from beauty_evaluate.scoring.bursts import first_of_bursts  # late: few runs look at photos again

        first = set(first_of_bursts([photo.file for photo in order]))
        order = [photo for photo in order if photo.file in first]
    if picks.of_persons:
        best: dict[str, Candidate] = {}
        for photo in order:
            best.setdefault(photo.person, photo)
        order = [photo for photo in order if not photo.person or best[photo.person] is photo]
    return order[: picks.top]


def copy_photos(files: Sequence[str], folder: Path) -> list[Path]:
    """Copy files into a folder, which is made. Nothing there is written over: a name that is taken gets a number, and a
    file that is there already, byte for byte, is that copy.

    Args:
        files: of the photos, which stay as they are; one on a pipe becomes `photo` with the ending of its format.
        folder: of the copies.

    Returns:
        The copy of each file, no two the same.

    Raises:
        OSError: a file cannot be read, or a copy not be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    copies: list[Path] = []
    for file in files:
        copies.append(_copy(file, folder, set(copies)))
    return copies


def _copy(photo: str, folder: Path, taken: set[Path]) -> Path:
    piped = photo.content if isinstance(photo, Piped) else None
    name = Path(photo if piped is None else PIPED_STEM + suffix(piped))
    for number in count(1):
        target = folder / (name.name if number == 1 else f"{name.stem}_{number}{name.suffix}")
        if target in taken:
            continue
        try:
            with open(photo, "rb") if piped is None else io.BytesIO(piped) as source, open(target, "xb") as copy:
                _fill(source, copy, target)
        except FileExistsError:
            if target.is_file() and _is_copy(photo, target):
                return target
            continue
        if piped is None:
            shutil.copystat(photo, target)
        return target
    raise AssertionError  # count does not end


def _is_copy(photo: str, target: Path) -> bool:
    """Whether a file has the content of a photo."""
    if isinstance(photo, Piped):
        return target.read_bytes() == photo.content
    return filecmp.cmp(photo, target, shallow=False)


def _fill(source: BinaryIO, copy: BinaryIO, target: Path) -> None:
    """The content of a copy; without all of it there is none."""
    try:
        shutil.copyfileobj(source, copy)
    except BaseException:
        target.unlink()
        raise


def in_folder(file: str, folder: Path) -> bool:
    """Whether a file lies in a folder itself, by whatever name."""
    return os.path.dirname(os.path.realpath(file)) == os.path.realpath(folder)

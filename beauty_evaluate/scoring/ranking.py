"""Scored faces in an order, and which differences between them mean anything."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import hypot
from pathlib import Path
from statistics import mean, stdev

import cv2

from beauty_evaluate.config import CropConfig
from beauty_evaluate.images import Picture, three_channels
from beauty_evaluate.reporting.comparison_report import THUMBNAIL_SIDE
from beauty_evaluate.scoring.paths import printable
from beauty_evaluate.scoring.rows import Row, Scored

JPEG_QUALITY = 90  # of thumbnails, percent
BEFORE_AFTER = re.compile(r"(?P<start>.*)(?P<when>before|after)(?P<end>.*)", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """A scored face in a comparison.

    Attributes:
        name: of its file as it can be shown, with the number of the face where there are several.
        row: of the face.
        score: rating points.
        jpeg: the crop, THUMBNAIL_SIDE pixels a side: some 10 kB.
        person: the folder that was asked about, or the subfolder in it; "" for none.
        is_query: asked about, not part of the folder it is compared with.
    """

    name: str
    row: Row
    score: float
    jpeg: bytes
    person: str = ""
    is_query: bool = True

    @property
    def half_width(self) -> float | None:
        """Half the width of the score's prediction interval; None without one."""
        return self.row.half_width

    @property
    def is_doubtful(self) -> bool:
        """Whether its score means little."""
        return self.row.is_doubtful


def entries(scored: Scored, config: CropConfig, roots: Sequence[str] = (), is_query: bool = True) -> list[Entry]:
    """The faces of one photo; none if it has no score.

    Args:
        scored: the photo.
        config: of the crop that is shown.
        roots: the folders that were asked about: their subfolders are a person each, and so are they themselves if
            there are several.
        is_query: as in `Entry`.

    Example:
        >>> from beauty_evaluate import Scorer
        >>> scorer = Scorer()
        >>> (scored,) = scorer.score_many(["examples/eileen_collins.png"])
        >>> [entry.name for entry in entries(scored, scorer.crop_config)]
        ['eileen_collins.png']
    """
    entries = []
    for row, face in zip(scored.rows, scored.faces, strict=bool(scored.faces)):
        path = Path(row.file)
        name = printable(path.name) + f", face {row.face}" * (row.faces > 1)
        assert row.score is not None
        entries.append(
            Entry(name, row, row.score, _jpeg(face.crop(config)), printable(person_of(path, roots)), is_query)
        )
    return entries


def person_of(path: Path, roots: Sequence[str]) -> str:
    """The folder that stands for a photo's person; "" for none.

    Args:
        path: of the photo.
        roots: as in `entries`.

    Example:
        >>> person_of(Path("holiday/ann/1.jpg"), ["holiday"]), person_of(Path("holiday/1.jpg"), ["holiday"])
        ('holiday/ann', '')
    """
    root = next((root for root in roots if path.is_relative_to(root)), None)
    parts = path.relative_to(root).parts if root is not None else ()
    if root is None or (len(parts) == 1 and len(roots) == 1):
        return ""
    return Path(root, *parts[:1] * (len(parts) > 1)).as_posix()


def _jpeg(crop: Picture) -> bytes:
    small = cv2.resize(three_channels(crop), (THUMBNAIL_SIDE, THUMBNAIL_SIDE), interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", small[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes())


def disambiguate_names(faces: Sequence[Entry]) -> list[Entry]:
    """The same faces, with their folder before the name where files of several folders have the same, or all folders
    where that is not enough."""
    renamed = list(faces)
    for parts in (1, None):
        names = Counter(entry.name for entry in renamed)
        for i, entry in enumerate(renamed):
            if names[entry.name] > 1:
                folders = Path(entry.row.file).parts[:-1]
                folder = "/".join(folders[-parts:] if parts else folders)
                renamed[i] = replace(entry, name=printable(f"{folder}/" if folder else "") + faces[i].name)
    return renamed


def ranked(faces: Sequence[Entry]) -> list[Entry]:
    """The highest score first, equal ones by name, and after all of these the doubtful ones likewise."""
    return sorted(faces, key=lambda entry: (*entry.row.place, entry.name))


def joint_half_width(a: Entry, b: Entry) -> float | None:
    """How far two scores must lie apart to differ, rating points; None without intervals.

    The half widths are added as squares, as those of independent errors: photos of one person err alike, so that for
    them the answer is on the safe side.
    """
    return None if a.half_width is None or b.half_width is None else hypot(a.half_width, b.half_width)


def is_significant(a: Entry, b: Entry) -> bool | None:
    """Whether two scores differ by more than their `joint_half_width`; None without intervals."""
    reach = joint_half_width(a, b)
    return None if reach is None else abs(a.score - b.score) > reach


@dataclass(frozen=True)
class Person:
    """Several photos of one person.

    Attributes:
        name: of their folder.
        photos: the number of those that count.
        mean, sd: of the scores, rating points.
        best, worst: the photos with the highest and the lowest score.
        left_out: doubtful photos that do not count, since two others at least are there.
    """

    name: str
    photos: int
    mean: float
    sd: float
    best: Entry
    worst: Entry
    left_out: int = 0


def people(faces: Sequence[Entry]) -> list[Person]:
    """Those with two and more photos of their own that show one face each; the highest mean first."""
    folders: dict[str, list[Entry]] = {}
    for entry in sorted(faces, key=lambda entry: (-entry.score, entry.name)):
        if entry.person and entry.is_query and entry.row.faces == 1:
            folders.setdefault(entry.person, []).append(entry)
    names, persons = short_names(folders), []
    for person, photos in folders.items():
        clear = [entry for entry in photos if not entry.is_doubtful]
        counted = clear if len(clear) > 1 else photos
        if len(counted) > 1:
            scores, left_out = [entry.score for entry in counted], len(photos) - len(counted)
            persons.append(
                Person(names[person], len(counted), mean(scores), stdev(scores), counted[0], counted[-1], left_out)
            )
    return sorted(persons, key=lambda person: -person.mean)


def short_names(folders: Iterable[str]) -> dict[str, str]:
    """What people call the folders of persons: the last part, or all of it where that is not enough.

    Example:
        >>> short_names(["in/ann", "in/bob", "out/bob"])
        {'in/ann': 'ann', 'in/bob': 'in/bob', 'out/bob': 'out/bob'}
    """
    short = {folder: os.path.basename(os.path.realpath(folder)) for folder in folders}  # `.` has no name of its own
    names = Counter(short.values())
    return {folder: name if names[name] == 1 else folder for folder, name in short.items()}


def pairs(faces: Sequence[Entry]) -> list[tuple[Entry, Entry]]:
    """Photos asked about, of one folder, whose names differ in `before` and `after` alone, in that order."""
    halves: dict[tuple[str, str, str], dict[str, Entry]] = {}
    for entry in faces:
        match = BEFORE_AFTER.fullmatch(printable(Path(entry.row.file).name))
        if match and entry.is_query and entry.row.faces == 1:
            folder = str(Path(entry.row.file).parent)
            pair = halves.setdefault((folder, match["start"].lower(), match["end"].lower()), {})
            pair[match["when"].lower()] = entry
    return [(pair["before"], pair["after"]) for pair in halves.values() if len(pair) == 2]

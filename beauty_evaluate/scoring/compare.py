"""Several faces beside each other: who ranks where, and which differences mean anything."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import hypot
from pathlib import Path
from statistics import mean, stdev

import cv2

from beauty_evaluate.config import CropConfig
from beauty_evaluate.images import Picture, three_channels
from beauty_evaluate.scoring.batch import printable
from beauty_evaluate.scoring.scorer import Row, Scored

THUMBNAIL = 192  # pixels a side: a face takes some 10 kB while a report is gathered
PAIR = re.compile(r"(?P<before>.*)(?P<when>before|after)(?P<rest>.*)", re.IGNORECASE)
NO_INTERVAL = "These weights carry no interval, so how large a difference must be to mean anything cannot be said."


@dataclass(frozen=True)
class Entry:
    """A scored face in a comparison.

    name: of its file as it can be shown, with the number of the face where there are several. jpeg: the crop, small.
    person: the folder that was asked about, or the subfolder in it, "" for none. mine: asked about, not part of the
    folder it is compared with.
    """

    name: str
    row: Row
    score: float
    jpeg: bytes
    person: str = ""
    mine: bool = True

    @property
    def half(self) -> float | None:
        """Half the width of the score's interval, which ends at 1 and 5."""
        return self.row.half_width


def entries(scored: Scored, config: CropConfig, roots: Sequence[str] = (), mine: bool = True) -> list[Entry]:
    """The faces of one photo; none if it has no score. roots: the folders that were asked about: their subfolders are
    a person each, and so are they themselves if there are several."""
    found = []
    for row, face in zip(scored.rows, scored.faces, strict=bool(scored.faces)):
        path = Path(row.file)
        name = printable(path.name) + f", face {row.face}" * (row.faces > 1)
        assert row.score is not None
        found.append(Entry(name, row, row.score, _jpeg(face.crop(config)), printable(_person(path, roots)), mine))
    return found


def _person(path: Path, roots: Sequence[str]) -> str:
    root = next((root for root in roots if path.is_relative_to(root)), None)
    parts = path.relative_to(root).parts if root is not None else ()
    if root is None or (len(parts) == 1 and len(roots) == 1):
        return ""
    return Path(root, *parts[:1] * (len(parts) > 1)).as_posix()


def disambiguate_names(faces: Sequence[Entry]) -> list[Entry]:
    """The same faces, with their folder before the name where files of several folders have the same, or all folders
    where that is not enough."""
    found = list(faces)
    for parts in (1, None):
        names = Counter(entry.name for entry in found)
        for i, entry in enumerate(found):
            if names[entry.name] > 1:
                folders = Path(entry.row.file).parts[:-1]
                place = "/".join(folders[-parts:] if parts else folders)
                found[i] = replace(entry, name=printable(f"{place}/" if place else "") + faces[i].name)
    return found


def _jpeg(crop: Picture) -> bytes:
    small = cv2.resize(three_channels(crop), (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", small[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())


def ranked(faces: Sequence[Entry]) -> list[Entry]:
    """The highest score first; equal ones by name."""
    return sorted(faces, key=lambda entry: (-entry.score, entry.name))


def is_significant(a: Entry, b: Entry) -> bool | None:
    """Whether two scores differ by more than both intervals together; None without intervals.

    The half widths are added as squares, as those of independent errors: photos of one person err alike, so that for
    them the answer is on the safe side.
    """
    if a.half is None or b.half is None:
        return None
    return abs(a.score - b.score) > hypot(a.half, b.half)


def difference(a: Entry, b: Entry) -> str:
    """A sentence on two faces."""
    high, low = (a, b) if a.score >= b.score else (b, a)
    gap = high.score - low.score
    if high.half is None or low.half is None:
        return f"{high.name} scores {gap:.2f} higher than {low.name}. {NO_INTERVAL}"
    reach = hypot(high.half, low.half)
    if gap > reach:
        return f"{high.name} scores {gap:.2f} higher than {low.name}: more than the +- {reach:.2f} of the two scores."
    return f"{high.name} and {low.name} differ by {gap:.2f}, less than the +- {reach:.2f} of the two scores: a tie."


def change(before: Entry, after: Entry) -> str:
    """A sentence on two photos of one person."""
    words = f"{after.name} scores {after.score - before.score:+.2f} against {before.name}"
    if before.half is None or after.half is None:
        return f"{words}. {NO_INTERVAL}"
    reach = hypot(before.half, after.half)
    if is_significant(before, after):
        return f"{words}: more than the +- {reach:.2f} of the two scores."
    return f"{words}: less than the +- {reach:.2f} of the two scores, no change that means anything."


@dataclass(frozen=True)
class Person:
    """Several photos of one person. spread: standard deviation of the scores."""

    name: str
    photos: int
    mean: float
    spread: float
    best: Entry
    worst: Entry

    def words(self) -> str:
        """One line."""
        words = f"{self.name}: {self.mean:.2f} on average over {self.photos} photos, spread {self.spread:.2f}"
        ends = f"{self.best.name} ({self.best.score:.2f}) and {self.worst.name} ({self.worst.score:.2f})"
        if is_significant(self.best, self.worst) is False:
            return f"{words}; even {ends} are a tie within the intervals"
        return f"{words}; {self.best.name} flatters most ({self.best.score:.2f}), {self.worst.name} least " + (
            f"({self.worst.score:.2f})"
        )


def people(faces: Sequence[Entry]) -> list[Person]:
    """Those asked about with two photos or more of them alone, the highest mean first."""
    folders: dict[str, list[Entry]] = {}
    for entry in ranked(faces):
        if entry.person and entry.mine and entry.row.faces == 1:
            folders.setdefault(entry.person, []).append(entry)
    short = {person: os.path.basename(os.path.realpath(person)) for person in folders}  # `.` has no name of its own
    names = Counter(short.values())
    found = []
    for person, own in folders.items():
        name = short[person] if names[short[person]] == 1 else person
        if len(own) > 1:
            scores = [entry.score for entry in own]
            found.append(Person(name, len(own), mean(scores), stdev(scores), own[0], own[-1]))
    return sorted(found, key=lambda one: -one.mean)


def pairs(faces: Sequence[Entry]) -> list[tuple[Entry, Entry]]:
    """Photos asked about, of one folder, whose names differ in `before` and `after` alone, in that order."""
    halves: dict[tuple[str, str, str], dict[str, Entry]] = {}
    for entry in faces:
        found = PAIR.fullmatch(printable(Path(entry.row.file).name))
        if found and entry.mine and entry.row.faces == 1:
            folder = str(Path(entry.row.file).parent)
            place = halves.setdefault((folder, found["before"].lower(), found["rest"].lower()), {})
            place[found["when"].lower()] = entry
    return [(half["before"], half["after"]) for half in halves.values() if len(half) == 2]


def verdicts(faces: Sequence[Entry]) -> list[str]:
    """What a ranking of these faces says, and what it does not, in sentences."""
    order, twos = ranked(faces), pairs(faces)
    lines = [change(before, after) for before, after in twos]
    lines += [person.words() for person in people(faces)]
    if any(not entry.mine for entry in order):
        return [*lines, *(_place(entry, order) for entry in order if entry.mine)]
    if len(order) == 2 and not twos:
        lines.append(difference(*order))
    return [*lines, _lead(order)] if len(order) > 2 else lines


def _place(entry: Entry, order: Sequence[Entry]) -> str:
    """Where a face stands among others that are not the user's own."""
    others = [other for other in order if not other.mine]
    above = sum(other.score > entry.score for other in others)
    words = f"{entry.name} ({entry.score:.2f}) would be number {above + 1} of {len(others) + 1}"
    near = min(others, key=lambda other: abs(other.score - entry.score))
    words += f", nearest to {near.name} ({near.score:.2f})"
    known = [is_significant(entry, other) for other in others]
    if None in known:
        return f"{words}. {NO_INTERVAL}"
    same = known.count(False)
    tie = f"with {same} of the {len(others)} it is a tie within the intervals" if same else "apart from all of them"
    return f"{words}; {tie}."


def _lead(order: Sequence[Entry]) -> str:
    """How many the first cannot be told apart from."""
    first = order[0]
    known = [is_significant(first, other) for other in order[1:]]
    if None in known:
        return f"{first.name} scores highest ({first.score:.2f}). {NO_INTERVAL}"
    same = known.count(False)
    rest = f"with {same} of the other {len(known)} it is a tie within the intervals" if same else "all others lie lower"
    return f"{first.name} scores highest ({first.score:.2f}); {rest}."

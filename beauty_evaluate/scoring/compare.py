"""Several faces beside each other: who ranks where, in records, sentences and a sheet to share."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from beauty_evaluate.config import RatingScale
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.reporting import comparison_report
from beauty_evaluate.reporting.comparison_report import Pair, RankedFace, Sheet
from beauty_evaluate.scoring.batch import scan
from beauty_evaluate.scoring.paths import expand
from beauty_evaluate.scoring.ranking import (
    Entry,
    Person,
    disambiguate_names,
    entries,
    pairs,
    people,
    ranked,
    short_names,
)
from beauty_evaluate.scoring.rows import Row, Scored
from beauty_evaluate.scoring.scorer import Scorer
from beauty_evaluate.scoring.sentences import about, change, verdicts


@dataclass(frozen=True)
class Comparison:
    """Faces in the order of their scores, and what that order says.

    Attributes:
        ranking: the highest score first, after all others those that are doubtful; with names that differ.
        sentences: what the ranking says, and how many photos could not be scored.
        failed: of photos without a score.
        about: what the scores are, for the foot of a page.
        scale: of the scores.
        rated: number of faces behind a percentile.
    """

    ranking: tuple[Entry, ...]
    sentences: tuple[str, ...]
    failed: tuple[Row, ...]
    about: str
    scale: RatingScale
    rated: int

    @property
    def people(self) -> list[Person]:
        """Those with several photos."""
        return people(self.ranking)

    @property
    def pairs(self) -> list[tuple[Entry, Entry]]:
        """Photos of before and after."""
        return pairs(self.ranking)

    def render(self, suffix: str) -> bytes:
        """The sheet: `.png`, a picture, or `.html`, a page. Raises UserError for no face or another suffix."""
        return comparison_report.render(suffix, self._sheet())

    def write(self, path: Path) -> None:
        """The sheet as a file; its name says the kind. Raises UserError as `render`."""
        comparison_report.write(path, self._sheet())

    def _sheet(self) -> Sheet:
        persons = short_names({entry.person for entry in self.ranking if entry.person})
        faces = [_ranked_face(entry, persons.get(entry.person, "")) for entry in self.ranking]
        shown = dict(zip(map(id, self.ranking), faces, strict=True))
        both = [Pair(shown[id(before)], shown[id(after)], change(before, after)) for before, after in self.pairs]
        return Sheet(faces, self.sentences, self.about, self.scale, self.rated, both)


def _ranked_face(entry: Entry, person: str) -> RankedFace:
    row = entry.row
    return RankedFace(
        entry.name, entry.score, entry.half_width, row.percentile, row.warnings, entry.jpeg, entry.is_query, person,
        row.file, row.parts,
    )  # fmt: skip


def compare(
    photos: Sequence[str | os.PathLike[str]],
    against: str | os.PathLike[str] | None = None,
    scorer: Scorer | None = None,
    on_photo: Callable[[Scored], None] | None = None,
) -> Comparison:
    """Score photos and rank their faces.

    Args:
        photos: files, folders and patterns. A subfolder is one person, and so is a folder if there are several.
        against: a folder of other photos to rank the faces among.
        scorer: default: the best weights there are.
        on_photo: called with each photo as it is scored.

    Raises:
        PhotoError: no photo could be scored.

    Example:
        >>> comparison = compare(["examples"])
        >>> [entry.name for entry in comparison.ranking]
        ['eileen_collins.png', 'grace_hopper.jpg']
        >>> comparison.write(Path("/dev/null/no.pdf"))
        Traceback (most recent call last):
        beauty_evaluate.errors.UserError: A report is a picture (.png) or a page (.html), not /dev/null/no.pdf.
    """
    scorer = scorer or Scorer()
    roots: list[str] = []
    paths = expand([os.fspath(photo) for photo in photos], folders=roots)
    queries = {os.path.realpath(path) for path in paths}
    others = [path for path in expand([os.fspath(against)] if against else []) if os.path.realpath(path) not in queries]
    faces: list[Entry] = []
    failed: list[Row] = []
    for is_query, files in ((True, paths), (False, others)):
        for scored in scan(scorer, files):
            if on_photo:
                on_photo(scored)
            faces += entries(scored, scorer.crop_config, roots if is_query else (), is_query)
            failed += [] if scored.faces else scored.rows
    if not faces:
        raise PhotoError("no_face", "No photo could be scored. " + (failed[0].error if failed else "Name photos."))
    return of_entries(faces, scorer, failed)


def of_entries(faces: Iterable[Entry], scorer: Scorer, failed: Iterable[Row] = ()) -> Comparison:
    """The comparison of faces that were scored before.

    Args:
        faces: of any photos, from `ranking.entries`.
        scorer: that scored them.
        failed: the rows of photos without a score.
    """
    ranking, unscored = ranked(disambiguate_names(list(faces))), tuple(failed)
    sentences = verdicts(ranking)
    if unscored:
        sentences.append(f"{len(unscored)} more photo{'s' * (len(unscored) > 1)} could not be scored.")
    return Comparison(tuple(ranking), tuple(sentences), unscored, about(scorer.card), scorer.scale, scorer.rated)

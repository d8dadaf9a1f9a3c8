"""A comparison to look at and to share: one picture, or one page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from beauty_evaluate.config import RatingScale
from beauty_evaluate.errors import UserError
from beauty_evaluate.files import write_atomic
from beauty_evaluate.phrases import plain_warnings, share_below

MAX_FACES = {".png": 60, ".html": 1000}  # that are shown, by the suffix of the file; the sentences are about all
THUMBNAIL_SIDE = 192  # pixels
DOUBTFUL = "Doubtful scores, not ranked: each says why"


@dataclass(frozen=True)
class RankedFace:
    """A face on a sheet.

    Attributes:
        name: as it is shown.
        score: rating points.
        half_width: half the width of its prediction interval; None without one.
        percentile: share of the rated faces that score lower, percent; None where there are none.
        warnings: why the score means little, words with `;` between them.
        jpeg: THUMBNAIL_SIDE pixels a side.
        is_query: asked about, not one of those it is compared with.
        person: whose photo it is; "" where that is not known.
        file: path of the photo, which a page links to; "" for none.
        parts: what the score is made of, as in a table, which a page shows; "" for none.
    """

    name: str
    score: float
    half_width: float | None
    percentile: float | None
    warnings: str
    jpeg: bytes
    is_query: bool = True
    person: str = ""
    file: str = ""
    parts: str = ""


@dataclass(frozen=True)
class Pair:
    """A photo before and one after, and what their difference says."""

    before: RankedFace
    after: RankedFace
    sentence: str


@dataclass(frozen=True)
class Sheet:
    """What a sheet shows.

    Attributes:
        faces: the highest score first, and after all others the doubtful ones.
        sentences: what their order says.
        about: what the scores are.
        scale: of the scores.
        rated: number of faces behind a percentile.
        pairs: of the faces, before and after, which are shown beside each other.
    """

    faces: Sequence[RankedFace]
    sentences: Sequence[str]
    about: str
    scale: RatingScale
    rated: int
    pairs: Sequence[Pair] = ()

    @property
    def title(self) -> str:
        """How many faces there are, without a word on how many are shown."""
        what = "ranked by score" if self.is_ranking else "before and after"
        return f"{len(self.faces)} face{'s' * (len(self.faces) > 1)}, {what}"

    @property
    def is_ranking(self) -> bool:
        """Whether there are faces outside pairs, so that all are ranked."""
        return 2 * len(self.pairs) < len(self.faces)

    @property
    def compares(self) -> bool:
        """Whether faces are ranked among others, so that those asked about need a mark."""
        return any(not face.is_query for face in self.faces)


@dataclass(frozen=True)
class Card:
    """A face with what stands under it.

    Attributes:
        rank: from 1, on the whole sheet.
        face: itself.
        rated: number of faces behind a percentile.
        is_ranked: whether its rank is shown: not in a pair.
    """

    rank: int
    face: RankedFace
    rated: int
    is_ranked: bool = True

    @property
    def score(self) -> str:
        """With the rank, unless it is doubtful."""
        return f"{self.rank}.  " * (self.is_ranked and not self.face.warnings) + f"{self.face.score:.2f}"

    @property
    def margin(self) -> str:
        """Half the width of the interval; "" without one."""
        return "" if self.face.half_width is None else f"\N{PLUS-MINUS SIGN} {self.face.half_width:.2f}"

    @property
    def standing(self) -> str:
        """How many rated faces score lower; "" where that is not known."""
        return "" if self.face.percentile is None else share_below(self.face.percentile, f"{self.rated} rated faces")

    @property
    def short_standing(self) -> str:
        """The same, for a picture."""
        return self.standing.replace(" rated faces", "")

    @property
    def reasons(self) -> list[str]:
        """Why the score means little, in plain words."""
        return plain_warnings(self.face.warnings)


@dataclass(frozen=True)
class Block:
    """Faces under one title. is_pairs: each two belong together."""

    title: str
    cards: Sequence[Card]
    is_pairs: bool = False


def check(path: Path) -> None:
    """Raises UserError for the name of a file that is neither a picture nor a page.

    Example:
        >>> check(Path("ranking.png"))
    """
    if path.suffix.lower() not in MAX_FACES:
        raise UserError(f"A report is a picture (.png) or a page (.html), not {path}.")


def write(path: Path, sheet: Sheet) -> None:
    """Write a sheet as the suffix of the path says; a page links to the photos. Raises UserError for no face or another
    suffix."""
    check(path)
    write_atomic(path, render(path.suffix.lower(), sheet, path.parent))


def render(suffix: str, sheet: Sheet, folder: Path | None = None) -> bytes:
    """The content of the file.

    Args:
        suffix: `.png` or `.html`.
        sheet: what it shows.
        folder: where the file will lie, from which a page links to the photos; None for no links.

    Raises:
        UserError: no face, or another suffix.

    Example:
        >>> import io
        >>> from PIL import Image
        >>> jpeg = io.BytesIO()
        >>> Image.new("RGB", (THUMBNAIL_SIDE, THUMBNAIL_SIDE)).save(jpeg, "JPEG")
        >>> face = RankedFace("me.jpg", 3.2, 0.5, 60.0, "", jpeg.getvalue())
        >>> render(".png", Sheet([face], [], "Scores of a test.", RatingScale(1, 5), 5500))[1:4]
        b'PNG'
    """
    check(Path(f"report{suffix}"))
    if not sheet.faces:
        raise UserError("A report needs a face, and none of the photos shows one.")
    shown = _shown(sheet, MAX_FACES[suffix])
    title = sheet.title + (f"; {len(shown)} of them are shown" if len(shown) < len(sheet.faces) else "")
    blocks = _blocks(sheet, shown)
    if suffix == ".png":  # late: both show what is described here
        from beauty_evaluate.reporting.comparison_picture import draw_sheet

        return draw_sheet(title, blocks, sheet)
    from beauty_evaluate.reporting.comparison_page import page

    return page(title, blocks, sheet, folder)


def _shown(sheet: Sheet, most: int) -> list[tuple[int, RankedFace]]:
    """Ranks and faces: all, or the first and those asked about."""
    numbered = list(enumerate(sheet.faces, 1))
    queries = [pair for pair in numbered if sheet.compares and pair[1].is_query][:most]
    kept = {rank for rank, _ in [*queries, *numbered[: most - len(queries)]]}
    return [pair for pair in numbered if pair[0] in kept]


def _blocks(sheet: Sheet, shown: Sequence[tuple[int, RankedFace]]) -> list[Block]:
    """Before and after, then the ranking, then doubtful scores. What is all in pairs is not ranked as well."""
    cards = [Card(rank, face, sheet.rated) for rank, face in shown]
    paired = [face for pair in sheet.pairs for face in (pair.before, pair.after)]
    ranks = {id(face): rank for rank, face in enumerate(sheet.faces, 1)}
    first = [Card(ranks[id(face)], face, sheet.rated, is_ranked=False) for face in paired]
    blocks = [Block("Before and after", first[: len(cards) // 2 * 2], is_pairs=True)]
    if sheet.is_ranking:
        blocks.append(Block("Ranking" if paired else "", [card for card in cards if not card.face.warnings]))
        blocks.append(Block(DOUBTFUL, [card for card in cards if card.face.warnings]))
    return [block for block in blocks if block.cards]

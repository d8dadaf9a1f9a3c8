"""A folder with everything that a rater needs, to hand on."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.files import write_atomic
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.card import Card

EXAMPLE, README = "example.py", "README.md"
ELSEWHERE = {  # what no folder can hold, by family
    "language_model": "It asks {model} through an Ollama server on the machine that it runs on: `ollama pull {model}`.",
}
_EXAMPLE = '''"""Score photos with {name}: python {file} PHOTO [PHOTO ...]"""

import sys
from pathlib import Path

from beauty_evaluate import Scorer
from beauty_evaluate.errors import PhotoError

scorer = Scorer(str(Path(__file__).resolve().parent))
for photo in sys.argv[1:]:
    try:
        rows = scorer.score(photo)
    except PhotoError as error:  # no face, no picture, no file
        print(f"{{photo}}: {{error}}")
        continue
    for row in rows:
        print(f"{{photo}}, face {{row.face}}: {{row.score:.2f}} on a scale of {{scorer.scale}}")
        for part in filter(None, row.parts.split(";")):
            print(f"  {{part}}")
'''


@dataclass(frozen=True)
class Deployed:
    """What was written.

    Attributes:
        folder: which holds it all.
        card: of the rater, as it lies there.
        bytes: of all files of the rater.
        files: their names.
    """

    folder: Path
    card: Card
    bytes: int
    files: tuple[str, ...]


def deploy(card: Card, folder: Path) -> Deployed:
    """Copy a rater with all its files, its card, a short example and a page that says what it is.

    Args:
        card: of any family; members of an ensemble come along.
        folder: is made. One that holds this rater already is written over.

    Raises:
        ConfigError: the folder holds something else, or is the card's own.
        WeightsError: a file is missing, or is not the one that its card describes.

    Example:
        >>> import tempfile
        >>> deployed = deploy(registry.load_card("six_block_60-40"), Path(tempfile.mkdtemp()))
        >>> deployed.card.identity == registry.load_card(str(deployed.folder)).identity
        True
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file. Name a folder.")
    if folder.resolve() == card.folder.resolve():
        raise ConfigError(f"The card of {card.name} lies in {folder}. Name another folder.")
    files = dict(_files(card))
    ours = {card.path.name, README, EXAMPLE, *files}
    if others := sorted(path.name for path in folder.glob("*") if path.name not in ours):
        raise ConfigError(f"{folder} holds {', '.join(others[:3])} and is not for this rater. Name another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in files.items():
        write_atomic(folder / name, path.read_bytes())
    copy = replace(card, folder=folder)
    cards.write(copy)
    write_atomic(folder / EXAMPLE, _EXAMPLE.format(name=card.name, file=EXAMPLE).encode())
    write_atomic(folder / README, _readme(copy).encode())
    names = (copy.path.name, *sorted(files))
    return Deployed(folder, copy, sum((folder / name).stat().st_size for name in names), names)


def _files(card: Card) -> Iterator[tuple[str, Path]]:
    """The files of a card, and of the cards among them, by name. Raises WeightsError."""
    for kind, artifact in card.artifacts.items():
        if Path(artifact.file).name != artifact.file:
            raise WeightsError(f"{card.name} names a file outside its folder: {artifact.file}. Restore its card.")
        path = card.artifact(kind)
        yield artifact.file, path
        if path.suffix == ".json" and cards.is_card(path):
            yield from _files(registry.load_card(str(path)))


def _readme(card: Card) -> str:
    """What the rater is, how it is used, and what it may be used for."""
    learnt = [f"{part.data_set}, split {part.split}: {len(part.photos)} photos" for part in card.trained_on]
    figures = []
    for data, groups in card.metrics.items():
        pairs = [(title, groups.get("all", {}).get(key)) for title, key in (("PC", "pearson"), ("MAE", "mae"))]
        if measured := [f"{title} {value:.3f}" for title, value in pairs if value is not None]:
            figures.append(f"- {data}: {', '.join(measured)}")
    elsewhere = ELSEWHERE.get(card.config.family, "").format(model=getattr(card.config, "model", ""))
    paragraphs = [
        f"# {card.name}",
        f"A rater of the family `{card.config.family}`. It scores faces from {card.scale.low:g} to "
        f"{card.scale.high:g} as human raters did on average.",
        "```sh\n"
        "python3 use.py me.jpg --weights THIS_FOLDER\n"
        "python3 -m beauty_evaluate serve --weights THIS_FOLDER\n"
        f"python3 {EXAMPLE} me.jpg\n"
        "```",
        elsewhere,
        "Learnt from " + "; ".join(learnt) + "." if learnt else "It has learnt from no photo.",
        "On photos that it has not learnt from:\n\n" + "\n".join(figures) if figures else "",
        "The terms of the data hold for what was learnt from it. Scores say nothing about a person's worth, and must "
        "decide nothing about anyone.",
    ]
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph) + "\n"

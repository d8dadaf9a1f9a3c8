"""Figures that others published on the official splits, each with the paper or repository it stands in."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("published.json")

Triple = tuple[float | None, float | None, float | None]
"""PC, MAE, RMSE; None for what was not published."""


@dataclass(frozen=True)
class Paper:
    """Where figures were published.

    Attributes:
        title: Of the paper, or of the repository and the folder in it.
        authors: Separated by commas.
        venue: Conference, journal, or "source code".
        year: Of publication.
        link: A DOI, arXiv or repository address.
    """

    title: str
    authors: str
    venue: str
    year: int
    link: str

    @property
    def short(self) -> str:
        """For a cell of a table, as a Markdown link: `[Liang et al., ICPR 2018](...)`."""
        names = [name.split()[-1] for name in self.authors.split(", ")]
        authors = f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
        return f"[{authors}, {self.venue} {self.year}]({self.link})"

    @property
    def full(self) -> str:
        """For a list of sources, in Markdown."""
        return f"{self.authors}: [{self.title}]({self.link}), {self.venue} {self.year}"


@dataclass(frozen=True)
class PublishedResult:
    """A published network and its figures.

    Attributes:
        name: Of the network.
        pretraining: What it had learnt from before.
        paper: Where it was published.
        figures: PC, MAE and RMSE by split, `60-40` or `folds` (means of the five official folds).
        data_set: Title of the data set that they are of.
    """

    name: str
    pretraining: str
    paper: Paper
    figures: dict[str, Triple]
    data_set: str = "SCUT-FBP5500"


def read_published(path: Path = FILE) -> list[PublishedResult]:
    """The published results on SCUT-FBP5500.

    Args:
        path: Of the JSON file.

    Example:
        >>> best = max(read_published(), key=lambda result: result.figures.get("folds", (0,))[0])
        >>> best.paper.short
        '[sadiqebrahim, source code 2026](https://github.com/sadiqebrahim/facet)'
    """
    values = json.loads(path.read_text(encoding="utf-8"))
    papers = {key: Paper(**paper) for key, paper in values["papers"].items()}
    return [
        PublishedResult(
            entry["name"], entry["pretraining"], papers[entry["paper"]],
            {split: (figures[0], figures[1], figures[2]) for split, figures in entry["figures"].items()},
        )
        for entry in values["results"]
    ]  # fmt: skip


@dataclass(frozen=True)
class PublishedPermutation:
    """The PC of a published network on SCUT-FBP5500 with one region permuted across test faces.

    Attributes:
        source: Where it was published, as far as is known.
        whole: The PC on whole faces.
        pearson: The PC by region; its lips stand beside our mouth, its chin beside our jaw and chin.
    """

    source: str
    whole: float
    pearson: dict[str, float]


def read_published_permutation(path: Path = FILE) -> PublishedPermutation:
    """The published figures on permuted regions.

    Args:
        path: Of the JSON file.

    Example:
        >>> read_published_permutation().whole
        0.9312
    """
    return PublishedPermutation(**json.loads(path.read_text(encoding="utf-8"))["regions_permuted"])


def read_withheld(path: Path = FILE) -> list[dict[str, Any]]:
    """Figures of shipped weights on photos that are not handed out, so that no command here can repeat them.

    Args:
        path: Of the JSON file.

    Example:
        >>> read_withheld()[0]["n"]
        503
    """
    return list(json.loads(path.read_text(encoding="utf-8"))["withheld"])

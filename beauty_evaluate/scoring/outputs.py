"""What a run over photos writes, and what it must not write over."""

import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from beauty_evaluate.encoded import Piped
from beauty_evaluate.errors import UserError
from beauty_evaluate.scoring.picks import Picks, in_folder

if TYPE_CHECKING:
    from beauty_evaluate.scoring.tables import Table


@dataclass(frozen=True)
class Outputs:
    """Where the results of a run go; None for what is not wanted.

    Attributes:
        csv, json: tables; `-` is standard output.
        report: a ranked comparison, `.png` or `.html`. One of an earlier run is written over.
        copies: folder of annotated copies, which are written over likewise.
        resume: go on in tables that are there.
        overwrite: write over tables that are there.
        excel: begin the CSV with a byte order mark, by which Excel knows UTF-8.
        sort: put the highest score first in the tables, once all photos are scored.
        xmp: write scores into a file beside each photo.
        picks: photos to name at the end, and to copy.

    Example:
        >>> Outputs(csv="scores.csv", json="-").files
        ['scores.csv']
    """

    csv: str | None = None
    json: str | None = None
    report: Path | None = None
    copies: Path | None = None
    resume: bool = False
    overwrite: bool = False
    excel: bool = False
    sort: bool = False
    xmp: bool = False
    picks: Picks = field(default_factory=Picks)

    @property
    def files(self) -> list[str]:
        """The files that are to be written, but for copies."""
        return [str(name) for name in (self.csv, self.json, self.report) if name and str(name) != "-"]

    @property
    def use_stdout(self) -> bool:
        """Whether standard output is a table's."""
        return "-" in (self.csv, self.json)

    def check(self) -> None:
        """Raises UserError for what does not go together or cannot be written. Nothing is opened or emptied."""
        if self.csv == "-" and self.json == "-":
            raise UserError("--csv - and --json - both want standard output. Name a file for one of them.")
        if self.report:
            from beauty_evaluate.reporting.comparison_report import check  # late: most runs do without

            check(self.report)
        tables = [name for name in (self.csv, self.json) if name]
        if self.resume and self.report:
            raise UserError("--resume goes on in tables alone; --report needs all photos. Leave one out.")
        if self.resume and self.overwrite:
            raise UserError("--resume goes on in a table, --overwrite starts it again. Leave one out.")
        if self.resume and (not tables or "-" in tables):
            raise UserError("--resume needs a file with earlier rows. Add --csv FILE or --json FILE.")
        if self.excel and not self.csv:
            raise UserError("--excel is about a CSV. Add --csv FILE.")
        self.picks.check(self.resume)
        self._check_files()

    def _check_files(self) -> None:
        real = [os.path.realpath(file) for file in self.files]
        if len(set(real)) < len(real):
            raise UserError(f"--csv, --json and --report need a file each, not {', '.join(self.files)}.")
        for file, path in zip(self.files, real, strict=True):
            if os.path.isdir(path):
                raise UserError(f"{file} is a folder. Name a file to write.")
            if not os.path.isdir(os.path.dirname(path)):
                raise UserError(f"No such folder: {os.path.dirname(file)}. Make it first.")
            table = self.report is None or file != str(self.report)
            if table and not (self.resume or self.overwrite) and os.path.isfile(path) and os.path.getsize(path):
                raise UserError(f"{file} exists. Add --resume to go on in it, or --overwrite to start it again.")

    def check_inputs(self, photos: Iterable[str]) -> None:
        """Raises UserError if an output would be written over a photo, or beside one that has no file."""
        if self.xmp and any(isinstance(path, Piped) for path in photos):
            raise UserError("--xmp writes beside files, and a photo on a pipe is none. Save it first, or omit --xmp.")
        if not (self.files or self.copies or self.picks.folder):
            return
        inputs = {os.path.realpath(path) for path in photos if not isinstance(path, Piped)}
        for file in self.files:
            if os.path.realpath(file) in inputs:
                raise UserError(f"{file} is one of the photos. Name another file for the results.")
        if self.copies and os.path.realpath(self.copies) in {os.path.dirname(path) for path in inputs}:
            raise UserError(f"The photos lie in {self.copies}. Name another folder for the copies.")
        if self.picks.folder and any(in_folder(path, self.picks.folder) for path in inputs):
            raise UserError(f"Photos lie in {self.picks.folder}. Name another folder for the copies of the best.")

    def without_picked(self, photos: Sequence[str], named: Iterable[str]) -> list[str]:
        """The photos without copies that an earlier run picked into a folder among those that were asked about, so that
        the same command works twice. Those named one by one stay, and are refused by `check_inputs`."""
        folder, kept = self.picks.folder, set(named)
        left = [path for path in photos if path in kept or not (folder and in_folder(path, folder))]
        return left or list(photos)

    def open_tables(self, stack: ExitStack) -> "list[Table]":
        """The tables, which the stack closes. Raises UserError for one that another run is writing, or that `resume`
        cannot go on in."""
        if not (self.csv or self.json):
            return []
        from beauty_evaluate.scoring.tables import Table  # late: most runs do without

        tables = []
        if self.csv:
            tables.append(stack.enter_context(closing(Table(self.csv, "csv", self.resume, self.excel, self.sort))))
        if self.json:
            tables.append(stack.enter_context(closing(Table(self.json, "json", self.resume, is_sorted=self.sort))))
        return tables

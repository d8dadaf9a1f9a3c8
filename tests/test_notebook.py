"""The worked example: its code runs from top to bottom, and shows pictures."""

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from PIL import Image

NOTEBOOK = ROOT / "examples" / "tour.ipynb"


def run_cell(source: str, names: dict[str, Any]) -> Any:
    """Run a cell. Returns the value of its last line, which a notebook would show, if that is an expression."""
    *lines, last = source.rstrip().splitlines()
    if not last.startswith("Image."):
        lines, last = [*lines, last], "None"
    exec("\n".join(lines), names)
    return eval(last, names)


def test_the_notebook_runs_and_shows_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    text = "".join(line for cell in cells if cell["cell_type"] == "markdown" for line in cell["source"])
    assert "jupyter" in text
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert all(not cell["outputs"] for cell in cells if cell["cell_type"] == "code")
    monkeypatch.chdir(NOTEBOOK.parent)
    monkeypatch.setattr("tempfile.mkdtemp", lambda: str(tmp_path))
    names: dict[str, Any] = {}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        shown = [run_cell(source, names) for source in sources]
    pictures = [picture for picture in shown if isinstance(picture, Image.Image)]
    assert len(pictures) == 4
    for picture in pictures:
        picture.close()
    lines = printed.getvalue().splitlines()
    assert lines[0].startswith("grace_hopper.jpg ok 2")
    assert lines[2].startswith("missing.jpg missing")
    assert lines[-1].startswith("block6_conv2 (4, 4, 384)")

"""Doors are thin, and starting is cheap."""

import subprocess
import sys

import pytest
from conftest import ROOT

from beauty_evaluate.cli.common import COMMANDS


@pytest.mark.parametrize("door", ["use.py", "train.py", "visualize.py"])
def test_doors_are_thin(door: str) -> None:
    assert len((ROOT / door).read_text().splitlines()) <= 15


@pytest.mark.parametrize(
    "words",
    [
        ["-c", "import beauty_evaluate"],
        ["-c", "from beauty_evaluate import Scorer; Scorer().score('examples/grace_hopper.jpg')"],
        *([door, "--help"] for door in ("use.py", "train.py", "visualize.py")),
        ["-m", "beauty_evaluate", "--help"],
        *(["-m", "beauty_evaluate", c, "--help"] for c in COMMANDS),
        ["use.py", "examples/grace_hopper.jpg"],
    ],
    ids=" ".join,
)
def test_starting_loads_no_heavy_package(words: list[str]) -> None:
    found = subprocess.run(
        [sys.executable, "-X", "importtime", *words], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in found.stderr.splitlines() if "|" in line}
    assert "beauty_evaluate" in loaded or "-c" in words
    assert not loaded & {"tensorflow", "keras", "matplotlib", "scipy", "h5py", "onnx"}

"""The package as `pip install .` leaves it: with its weights, its command, and nothing of a checkout around it."""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from conftest import PORTRAIT, ROOT, Run

from beauty_evaluate.config import WEIGHTS

LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.egg-info")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The content of the wheel, as it lies in site-packages."""
    place = tmp_path_factory.mktemp("package")
    source = place / "source"
    source.mkdir()
    for name in ("pyproject.toml", "requirements-use.txt", "README.md"):
        shutil.copy(ROOT / name, source)
    for name in ("beauty_evaluate", "weights"):
        shutil.copytree(ROOT / name, source / name, ignore=LEFT_OUT)
    words = ["-m", "pip", "wheel", "--no-deps", "--no-index", "--no-build-isolation", "-q", "-w", place, source]
    subprocess.run([sys.executable, *map(str, words)], check=True, capture_output=True)
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place / "site")
    return place / "site"


def test_every_package_and_weight_is_in_it(installed: Path) -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    there = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "beauty_evaluate").rglob("__init__.py")}
    assert {name for name in listed if "_weights" not in name} == there
    files = {path.relative_to(WEIGHTS) for path in WEIGHTS.rglob("*") if path.is_file()}
    inside = installed / "beauty_evaluate" / "_weights"
    assert {path.relative_to(inside) for path in inside.rglob("*") if path.is_file()} == files


def test_it_scores_without_a_checkout(installed: Path, run: Run, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    words = [sys.executable, "-m", "beauty_evaluate", "score", str(PORTRAIT)]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == run(ROOT / "use.py", PORTRAIT).stdout
    assert done.stdout
    command = next(installed.glob("*.dist-info")) / "entry_points.txt"
    assert "beauty-evaluate = beauty_evaluate.cli.common:main" in command.read_text()

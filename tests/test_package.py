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
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import beauty_evaluate
from beauty_evaluate.config import WEIGHTS

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.egg-info")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The content of the wheel, as it lies in site-packages."""
    place = tmp_path_factory.mktemp("package")
    source = place / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
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
    listed = PROJECT["tool"]["setuptools"]["packages"]
    there = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "beauty_evaluate").rglob("__init__.py")}
    assert {name for name in listed if "_weights" not in name} == there
    files = {path.relative_to(WEIGHTS) for path in WEIGHTS.rglob("*") if path.is_file() and path.suffix != ".csv"}
    inside = installed / "beauty_evaluate" / "_weights"
    assert {path.relative_to(inside) for path in inside.rglob("*") if path.is_file()} == files

    data = [
        path for path in (ROOT / "beauty_evaluate").rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]
    assert [path for path in data if not (installed / path.relative_to(ROOT)).is_file()] == []


def test_metadata_names_version_terms_and_extras(installed: Path) -> None:
    (folder,) = installed.glob("*.dist-info")
    metadata = (folder / "METADATA").read_text(encoding="utf-8")
    assert f"\nVersion: {beauty_evaluate.__version__}\n" in metadata
    assert "\nLicense-Expression: MIT AND " in metadata
    assert "LicenseRef-Weights-Research-Only" in metadata
    assert (folder / "licenses" / "LICENSE").is_file()
    assert (folder / "licenses" / "weights" / "README.md").is_file()
    extras = {line.split(": ")[1] for line in metadata.splitlines() if line.startswith("Provides-Extra")}
    assert {"train", "web", "ratings", "rivals", "cluster", "docs", "dev"} <= extras


def test_the_tested_versions_lie_in_the_ranges() -> None:
    """requirements*.txt pin what CI installs; pyproject.toml says what else should do."""
    pins = {}
    for path in ROOT.glob("requirements*.txt"):
        for line in path.read_text().splitlines():
            if "==" in line:
                name, version = line.split("==")
                pins[canonicalize_name(name)] = version
    extras = PROJECT["project"]["optional-dependencies"]
    tested = (extras[name] for name in ("train", "web", "ratings", "rivals", "docs", "dev"))
    ranges = [Requirement(text) for texts in (PROJECT["project"]["dependencies"], *tested) for text in texts]
    names = {canonicalize_name(item.name) for item in ranges} - {canonicalize_name(PROJECT["project"]["name"])}
    assert names == set(pins)
    for item in ranges:
        pin = pins.get(canonicalize_name(item.name))
        assert pin is None or item.specifier.contains(pin), f"{item} leaves out the tested {pin}"


def test_it_scores_without_a_checkout(installed: Path, run: Run, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    words = [sys.executable, "-m", "beauty_evaluate", "score", str(PORTRAIT)]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == run(ROOT / "use.py", PORTRAIT).stdout
    assert done.stdout
    command = next(installed.glob("*.dist-info")) / "entry_points.txt"
    assert "beauty-evaluate = beauty_evaluate.cli.common:main" in command.read_text()

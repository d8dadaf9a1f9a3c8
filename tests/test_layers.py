"""The house: imports point downward, and starting is cheap."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from beauty_evaluate.cli.common import COMMANDS

PACKAGE = ROOT / "beauty_evaluate"
FLOORS = [
    ("errors", "files"),
    ("config", "presets", "images", "encoded", "exif", "settings", "metrics", "drawing"),
    ("faces", "datasets", "raters.card"),
    ("datasets.crops", "datasets.pipeline", "datasets.augment", "raters"),
    ("evaluation", "explain", "training"),
    ("reporting",),
    ("scoring",),
    ("web",),
    ("cli",),
    ("__main__", "__init__"),
]
# of one floor, of which the first may use the second
SIDEWAYS = {
    ("training", "evaluation"),
    ("config", "settings"),
    ("presets", "config"),
    ("images", "encoded"),
    ("images", "exif"),
    ("drawing", "config"),
}


def floor(module: str) -> int:
    """The lowest floor whose longest matching room holds a module, named without the package."""
    rooms = {room: i for i, names in enumerate(FLOORS) for room in names}
    matching = [room for room in rooms if module == room or module.startswith(room + ".")]
    assert matching, f"{module} has no room in the house"
    return rooms[max(matching, key=len)]


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {
                a.name.removeprefix("beauty_evaluate.") for a in node.names if a.name.startswith("beauty_evaluate.")
            }
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("beauty_evaluate"):
            inside = (node.module or "").removeprefix("beauty_evaluate").lstrip(".")
            found |= {inside} if inside else {alias.name for alias in node.names if alias.name != "__version__"}
            for alias in node.names:
                if (path.parents[0] and (PACKAGE / inside.replace(".", "/") / f"{alias.name}.py").exists()) and inside:
                    found |= {f"{inside}.{alias.name}"}
                    found -= {inside}
    return found


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
    own_folder = name.split(".")[0]
    for other in imports(path):
        room = other.split(".")[0]
        highest = floor(name) if room == own_folder or (own_folder, room) in SIDEWAYS else floor(name) - 1
        assert floor(other) <= highest, f"{name} imports {other}"


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

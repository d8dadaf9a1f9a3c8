"""Photos, data sets and trained weights that tests share. Nothing here needs the real data but `scut_folder`."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PORTRAIT = ROOT / "examples" / "grace_hopper.jpg"
PORTRAIT_PNG = ROOT / "examples" / "eileen_collins.png"

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A command of the project in a fresh process, in an empty folder."""

    def call(*words: object) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, *map(str, words)]
        # as in pyproject.toml: every warning is an error, but for those of third parties
        warnings = "error,ignore:__array__ implementation doesn't accept:DeprecationWarning"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": warnings}
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=1500
        )

    return call


@pytest.fixture(scope="session")
def scut_folder() -> Path:
    """The real data; a test that asks for it is skipped, by name, where it is not there."""
    folder = Path(os.environ.get("BEAUTY_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "scut-fbp5500" / "Images").is_dir():
        pytest.skip(f"no SCUT-FBP5500 in {folder}: set BEAUTY_DATA")
    return folder / "scut-fbp5500"


@pytest.fixture(scope="session")
def wild_folder(scut_folder: Path) -> Path:
    return scut_folder.parent / "mebeauty-sample" / "images"


@pytest.fixture(scope="session")
def drawn_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a whole training on drawn faces, as a user starts it, one epoch long."""
    out = tmp_path_factory.mktemp("runs") / "drawn"
    command = [sys.executable, str(ROOT / "train.py"), "--epochs", "1", "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True, timeout=1500)
    return out


@pytest.fixture
def small_scut(tmp_path: Path) -> Path:
    """A folder in SCUT-FBP5500's layout: eight copies of the two portraits, four in each part of each
    split, under names that the real data set does not have."""
    root = tmp_path / "scut"
    lists = root / "train_test_files"
    names = [f"{group}{i}.jpg" for i in (9001, 9002) for group in ("AF", "AM", "CF", "CM")]
    for folder in (root / "Images", root / "facial landmark", lists / "split_of_60%training and 40%testing"):
        folder.mkdir(parents=True)
    portraits = [Image.open(p).convert("RGB").resize((350, 350)) for p in (PORTRAIT, PORTRAIT_PNG)]
    rows = []
    for i, name in enumerate(names):
        portraits[i % 2].save(root / "Images" / name)
        points = np.random.default_rng(i).uniform(100, 250, (86, 2)).astype("<f4")
        (root / "facial landmark" / name.replace("jpg", "pts")).write_bytes(
            (86).to_bytes(4, "little") + points.tobytes()
        )
        rows.append(f"{name} {1.5 + 0.4 * i:.6f}")
    (lists / "All_labels.txt").write_text("\n".join(rows) + "\n")
    (lists / "split_of_60%training and 40%testing" / "train.txt").write_text("\n".join(rows[:4]) + "\n")
    (lists / "split_of_60%training and 40%testing" / "test.txt").write_text("\n".join(rows[4:]) + "\n")
    for k in range(1, 6):
        folder = lists / "5_folders_cross_validations_files" / f"cross_validation_{k}"
        folder.mkdir(parents=True)
        (folder / f"train_{k}.txt").write_text("\n".join(rows[4:]) + "\n")
        (folder / f"test_{k}.txt").write_text("\n".join(rows[:4]) + "\n")
    return root

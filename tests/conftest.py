"""Photos, data sets and trained weights that tests share. Nothing here needs the real data but `data_folder`."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from beauty_evaluate.cli.common import import_tensorflow, main

ROOT = Path(__file__).resolve().parents[1]
PORTRAIT = ROOT / "examples" / "grace_hopper.jpg"
PORTRAIT_PNG = ROOT / "examples" / "eileen_collins.png"
LONDON = ROOT / "beauty_evaluate" / "datasets" / "london" / "images"
FAR_APART = (LONDON / "038_neutral.jpg", LONDON / "104_neutral.jpg")  # by far the lowest and the highest score

import_tensorflow()  # as the commands do, before a test imports it by itself

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def features_are_cached_among_the_tests_files(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEAUTY_CACHE", str(tmp_path_factory.getbasetemp() / "features"))


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


@pytest.fixture
def here(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """As `run`, in this process: for what does not need a fresh one, since starting it takes longer than the rest."""
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> "subprocess.CompletedProcess[str]":
        door, *rest = map(str, words)
        arguments = rest[1:] if door == "-m" else [{"use": "score"}.get(Path(door).stem, Path(door).stem), *rest]
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["__main__.py" if door == "-m" else door, *arguments])
        try:
            code = main(arguments)
        except SystemExit as error:
            code = int(error.code or 0)
        out, errors = capsys.readouterr()
        return subprocess.CompletedProcess(arguments, code, out, errors)

    return call


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The real data sets; a test that asks for them is skipped, by name, where they are not there."""
    folder = Path(os.environ.get("BEAUTY_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "scut-fbp5500" / "Images").is_dir():
        pytest.skip(f"no SCUT-FBP5500 in {folder}: set BEAUTY_DATA")
    return folder


@pytest.fixture(scope="session")
def scut_folder(data_folder: Path) -> Path:
    return data_folder / "scut-fbp5500"


@pytest.fixture(scope="session")
def wild_folder(scut_folder: Path) -> Path:
    return scut_folder.parent / "mebeauty-sample" / "images"


@pytest.fixture(scope="session")
def synthetic_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a short training on synthetic faces, with its report; the card is weights/synthetic.json."""
    from beauty_evaluate.datasets import synthetic
    from beauty_evaluate.presets import preset
    from beauty_evaluate.reporting.training_report import write_training_report
    from beauty_evaluate.settings import with_settings
    from beauty_evaluate.training.job import Job, train

    config = with_settings(preset("synthetic"), ["training.epochs=2"])
    run = train(Job(config, (synthetic.draw(240),), tmp_path_factory.mktemp("runs") / "synthetic"))
    write_training_report(run, "python3 use.py PHOTO")
    return run.out


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


@pytest.fixture
def small_mebeauty(tmp_path: Path) -> Path:
    """A folder in MEBeauty's layout: six copies of a portrait, four to learn from and two to test on."""
    root = tmp_path / "mebeauty"
    rows = []
    for i, place in enumerate(
        ("female/asian", "female/black", "male/asian", "male/indian", "female/asian", "male/black")
    ):
        folder = root / "original_images" / place
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(PORTRAIT, folder / f"face {i}.jpg")
        rows.append(f"./cropped_images/images_crop_align_mtcnn/{place}/face {i}.jpg {2.5 + i:.4f}")
    (root / "scores").mkdir()
    (root / "scores" / "train_2022.txt").write_text("\n".join(rows[:4]) + "\n")
    (root / "scores" / "val_2022.txt").write_text("\n".join(rows[4:]) + "\n")
    return root


@pytest.fixture
def small_table(tmp_path: Path) -> Path:
    """Someone's own folder: `scores.csv` and six portraits, two of them in a subfolder."""
    root = tmp_path / "my faces"
    (root / "more").mkdir(parents=True)
    names = ("a.jpg", "b.jpg", "c.jpg", "d.jpg", "more/e.jpg", "more/f.jpg")
    for name in names:
        shutil.copy(PORTRAIT, root / name)
    rows = [f"{name},{1.5 + 0.75 * i},{('female', 'male')[i % 2]},{20 + i}" for i, name in enumerate(names)]
    (root / "scores.csv").write_text("\n".join(["file,score,gender,age", *rows]) + "\n")
    return root

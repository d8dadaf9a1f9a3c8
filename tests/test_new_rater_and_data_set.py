"""A new rater and a new data set are a file and a row each: through train, evaluate, score, report and page."""

import io
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from conftest import PORTRAIT, PORTRAIT_PNG

from beauty_evaluate.cli import evaluate as evaluate_command
from beauty_evaluate.cli import train as train_command
from beauty_evaluate.cli import use as use_command
from beauty_evaluate.config import RatingScale
from beauty_evaluate.datasets import registry as datasets
from beauty_evaluate.datasets.dataset import DataSet, Sample
from beauty_evaluate.datasets.registry import Reader
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.rater import Ratings, with_intervals
from beauty_evaluate.raters.registry import Family
from beauty_evaluate.scoring.scorer import Scorer
from beauty_evaluate.settings import Checked
from beauty_evaluate.web.app import create_app

# The file of a new rater.


@dataclass(frozen=True)
class ConstantConfig(Checked):
    """Says the same of everyone."""

    preset: str = "constant"
    value: float = 3.0
    family: Literal["constant"] = "constant"


class Constant:
    """A rater that looks at nothing."""

    needs: frozenset[str] = frozenset()

    def __init__(self, card: Card) -> None:
        assert isinstance(card.config, ConstantConfig)
        self.card, self.name, self.scale, self._value = card, card.name, card.scale, card.config.value

    def rate(self, faces: Sequence[Face]) -> Ratings:
        if not faces:
            raise ValueError("Expected faces to rate. Received: none.")
        return with_intervals(self.card, np.full(len(faces), self._value))


# The file of a new data set: names that tell the score, `7.5_anna.jpg`, from 0 to 10.


def recognises(folder: Path) -> bool:
    return (folder / "names_tell_scores").is_file()


def read(folder: Path, scale: RatingScale | None = None) -> DataSet:
    samples = {
        path.name: Sample(path.name, float(path.name.split("_")[0]), {"kind": path.suffix}, path)
        for path in sorted(folder.glob("*_*.*"))
    }
    return DataSet("Named", RatingScale(0, 10), samples, "Ours.", group_columns=("kind",))


@pytest.fixture(autouse=True)
def rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row in each registry, the data set's before the one for tables of anyone."""
    monkeypatch.setitem(
        registry.FAMILIES, "constant", Family(ConstantConfig, lambda card, runtime, threads: Constant(card))
    )
    reader = Reader("named", "Named", "a file names_tell_scores", recognises, read)
    monkeypatch.setattr(datasets, "READERS", {"named": reader, **datasets.READERS})


@pytest.fixture
def named(tmp_path: Path) -> Path:
    root = tmp_path / "named"
    root.mkdir()
    (root / "names_tell_scores").touch()
    for i in range(10):
        portrait = (PORTRAIT, PORTRAIT_PNG)[i % 2]
        shutil.copy(portrait, root / f"{0.5 + 0.9 * i:.1f}_{i}{portrait.suffix}")
    return root


@pytest.fixture
def constant(tmp_path: Path) -> str:
    card = Card("same_for_all", ConstantConfig(value=4.5), RatingScale(0, 10), folder=tmp_path)
    return str(cards.write(card))


def test_the_reader_goes_through_train_evaluate_and_score(
    named: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--data", str(named), "--preset", "synthetic", "--epochs", "1", "--out", str(tmp_path / "run")]
    assert train_command.main(words) == 0
    assert "reading 8 photos of Named, split seeded-80-20" in capsys.readouterr().out
    weights = tmp_path / "run" / "weights" / "synthetic_seeded-80-20.json"
    card = registry.load_card(str(weights))
    assert (card.data, str(card.scale)) == ("Named", "0..10")
    assert evaluate_command.main(["--data", str(named), "--weights", str(weights)]) == 0
    assert set(card.metrics) == {"Named"}
    printed = capsys.readouterr().out
    assert "Named" in printed
    assert "mean baseline" in printed
    (row,) = Scorer(str(weights)).score(PORTRAIT)
    assert row.status == "ok"
    assert row.score is not None
    assert 0 <= row.score <= 10


def test_the_rater_goes_through_evaluate_score_report_and_page(
    constant: str, named: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate_command.main(["--data", str(named), "--split", "all", "--weights", constant]) == 0
    assert "same_for_all on the 10 photos of Named, split all" in capsys.readouterr().out
    (row,) = Scorer(constant).score(PORTRAIT)
    assert (row.score, row.status) == (4.5, "ok")
    report = tmp_path / "faces.html"
    words = [str(PORTRAIT), str(PORTRAIT_PNG), "--weights", constant, "--report", str(report)]
    assert use_command.main(words) == 0
    assert "4.50" in report.read_text()
    client = create_app(Scorer(constant)).test_client()
    answer = client.post("/fragment/score", data={"photo": (io.BytesIO(PORTRAIT.read_bytes()), "me.jpg")})
    assert answer.status_code == 200
    assert "4.50" in answer.get_data(as_text=True)

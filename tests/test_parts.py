"""What a score is made of is shown wherever the score is: screen, tables, reports, page."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from conftest import PORTRAIT, PORTRAIT_PNG

from beauty_evaluate import Scorer, images
from beauty_evaluate.cli import use as use_command
from beauty_evaluate.config import CropConfig, RatingScale
from beauty_evaluate.explain.job import explain
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.phrases import WEIGHT_OF, Part, parts_of, parts_text
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.rater import Ratings
from beauty_evaluate.raters.registry import Family
from beauty_evaluate.reporting.face_report import write_face_report
from beauty_evaluate.scoring.rows import Row
from beauty_evaluate.settings import Checked
from beauty_evaluate.web.app import create_app
from beauty_evaluate.web.state import row_of


@dataclass(frozen=True)
class MadeConfig(Checked):
    preset: str = "made"
    crop: CropConfig = field(default_factory=lambda: CropConfig(size=64))
    family: Literal["made"] = "made"


class Made:
    """The mean of two parts: how bright the crop is, and a constant."""

    needs = frozenset({"crop"})

    def __init__(self, card: Card) -> None:
        self.card, self.name, self.scale = card, card.name, card.scale

    def rate(self, faces: Sequence[Face]) -> Ratings:
        assert isinstance(self.card.config, MadeConfig)
        bright = np.array([1 + face.crop(self.card.config.crop).mean() / 64 for face in faces])
        values = {"nose": bright, "attractive": 2.5, WEIGHT_OF + "nose": 0.25, WEIGHT_OF + "attractive": 0.75}
        parts = {name: np.full(len(faces), value) for name, value in values.items()}
        return Ratings(0.25 * bright + 0.75 * 2.5, parts=parts, notes=("Invented for a test.",))


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(registry.FAMILIES, "made", Family(MadeConfig, lambda card, runtime, threads: Made(card)))
    return str(cards.write(Card("made", MadeConfig(), RatingScale(1, 5), folder=tmp_path)))


def test_parts_survive_a_table() -> None:
    text = parts_text({"eyes": 3.21987, "a;b=c": -0.5, WEIGHT_OF + "eyes": 1 / 3})
    assert text == "eyes=3.2199;a,b c=-0.5;weight of eyes=0.3333"
    assert parts_of(text) == [Part("eyes", 3.2199, 0.3333), Part("a,b c", -0.5)]
    assert parts_of("") == []
    assert [str(part) for part in parts_of("weight of gold=2")] == ["weight of gold 2.00"]


def test_the_command_shows_parts_on_the_screen_in_tables_and_in_the_report(
    made: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, lines, report = (tmp_path / name for name in ("t.csv", "t.json", "faces.html"))
    words = [str(PORTRAIT), str(PORTRAIT_PNG), "--weights", made, "--csv", str(table), "--json", str(lines)]
    assert use_command.main([*words, "--report", str(report)]) == 0
    first = next(csv.DictReader(table.read_text().splitlines()))
    nose = float(first["parts"].split(";")[0].removeprefix("nose="))
    assert float(first["score"]) == pytest.approx(0.25 * nose + 0.75 * 2.5, abs=1e-3)
    assert list(first)[-1] == "parts"
    assert json.loads(lines.read_text().splitlines()[0])["parts"] == first["parts"]
    printed = capsys.readouterr().out
    assert f"; made of nose {nose:.2f} (25 %), attractive 2.50 (75 %)" in printed
    assert printed.splitlines()[0].endswith(". Invented for a test.")
    assert f"nose {nose:.2f} (25 %), attractive 2.50 (75 %)" in report.read_text()
    assert use_command.main([*words, "--resume"]) == 0


def test_the_report_of_a_face_shows_parts(made: str, tmp_path: Path) -> None:
    scorer = Scorer(made)
    (face,) = scorer.faces(images.read(PORTRAIT))
    report = write_face_report(scorer.rater, explain(scorer.rater, face), "me.jpg", tmp_path, quick=True)
    assert any(line.startswith("Made of nose ") for line in report.lines)
    page = (tmp_path / "index.html").read_text()
    assert "<td>attractive</td><td>2.50</td><td>75 %</td>" in page
    assert not (tmp_path / "landmarks.png").exists()  # such a rater goes by no landmarks
    facts = json.loads((tmp_path / "explain.json").read_text())
    assert facts["parts"][1] == {"name": "attractive", "value": 2.5, "weight": 0.75}


@pytest.mark.parametrize(("language", "words"), [("en", ("nose", "attractive")), ("zh", ("鼻子", "有吸引力"))])
def test_the_page_shows_parts_in_its_language(made: str, language: str, words: tuple[str, str]) -> None:
    client = create_app(Scorer(made)).test_client()
    photo = {"photo": (io.BytesIO(PORTRAIT.read_bytes()), "me.jpg")}
    answer = client.post(f"/fragment/score?lang={language}", data=photo).get_data(as_text=True)
    assert f'<th scope="row">{words[1]}</th><td>2.50</td><td>75 %</td>' in answer
    assert f'<th scope="row">{words[0]}</th>' in answer


def test_a_state_with_parts_that_cannot_be_read_is_refused() -> None:
    row = Row("me.jpg", 1, 1, "ok", 3.0, parts="nose=3")
    assert row_of(vars(row)) == row
    with pytest.raises(ValueError, match="could not convert"):
        row_of(vars(replace(row, parts="nose=<b>")))

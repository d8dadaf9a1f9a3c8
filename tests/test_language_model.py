"""Language models: what is asked, how answers are read, and that no photo leaves this machine."""

import io
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ollama_support import DIGEST, MODEL, FakeOllama, brightness, picture_of
from PIL import Image

from beauty_evaluate import Scorer
from beauty_evaluate.config import CropConfig, RatingScale
from beauty_evaluate.datasets import synthetic
from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters.answers import Bias, read_answer
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.language_model import Interview, LanguageModel, LanguageModelConfig
from beauty_evaluate.raters.ollama_server import ALLOWED, TRIES, check_local
from beauty_evaluate.settings import with_settings
from beauty_evaluate.training.families import recipe, train_rater
from beauty_evaluate.training.job import Job

POINTS = np.array([[18, 24], [46, 24], [32, 36], [22, 48], [42, 48]], float)


@pytest.fixture
def server() -> Iterator[FakeOllama]:
    with FakeOllama() as fake:
        yield fake


def config_of(server: FakeOllama, **changes: Any) -> LanguageModelConfig:
    config = LanguageModelConfig(model=MODEL, server=server.address, crop=CropConfig(size=32), timeout=20.0)
    return replace(config, **changes)


def rater_of(server: FakeOllama, **changes: Any) -> LanguageModel:
    return LanguageModel(Card("asked", config_of(server, slope=4.0, offset=1.0, **changes), RatingScale(1, 5)))


def face(value: int) -> Face:
    return Face((0, 0, 64, 64), POINTS, 1.0, np.full((64, 64, 3), value, np.uint8))


@pytest.mark.parametrize(
    ("text", "rating", "confidence"),
    [
        ('{"rating": 0.7, "confidence": 0.5}', 0.7, 0.5),
        ('{"rating": 8.5, "confidence": 9}', 0.85, 0.9),
        ('Sure!\n```json\n{"Rating": "8.5/10", "Confidence": "90%"}\n```\nI hope this helps.', 0.85, 0.9),
        ('{"rating": 0, "confidence": 1}', 0.0, 1.0),
        ("8.5", 0.85, None),
        ("62 %", 0.62, None),
        ("**Rating:** 0.6\n**Confidence:** 0.9", 0.6, 0.9),
        ("I would say the rating is 7.5 out of 10, with a confidence of 0.8.", 0.75, 0.8),
        ("Rating: 8,5", 0.85, None),
        ("<think>rating: 0.1? No.</think>rating: 0.4", 0.4, None),
        ("rating: 0.7. Once more, rating: 0.7", 0.7, None),
    ],
)
def test_ratings_are_read(text: str, rating: float, confidence: float | None) -> None:
    answer = read_answer(text)
    assert (answer.rating, answer.confidence, answer.problem) == (rating, confidence, "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("I'm sorry, but I can't rate people's looks.", "refused"),
        ("I won\u2019t do that: 10 times no.", "refused"),
        ('{"rating": null, "confidence": null}', "refused"),
        ("rating: 6 or rating: 8", "unreadable"),
        ("The rating is 7-8.", "unreadable"),
        ("Rating: 7 to 8", "unreadable"),
        ("about 7", "unreadable"),
        ("rating: -1", "unreadable"),
        ('{"rating": 250}', "unreadable"),
        ('{"rating": NaN}', "unreadable"),
        ('{"rating": true}', "unreadable"),
        ("rating: 7/0", "unreadable"),
        ("Confidence: 0.9", "unreadable"),
        ("{" * 2000, "unreadable"),
        ("", "unreadable"),
    ],
)
def test_what_is_no_rating_is_not_guessed_at(text: str, problem: str) -> None:
    answer = read_answer(text)
    assert (answer.rating, answer.problem) == (None, problem)


def test_a_face_is_asked_about_once_for_each_adjective_and_repeat(server: FakeOllama) -> None:
    rater = rater_of(server, adjectives=("attractive", "aesthetic"), repeats=2, seed=7, temperature=0.5)
    ratings = rater.rate([face(51), face(204)])
    assert ratings.mean == pytest.approx([1.8, 4.2], abs=1e-5)
    assert ratings.parts["aesthetic"] == pytest.approx([1.8, 4.2], abs=1e-5)
    assert ratings.measured["answers"].tolist() == [4, 4]
    assert ratings.measured["confidence"] == pytest.approx([0.9, 0.9])
    assert ratings.notes == (f"{MODEL} was asked 2 times.",)
    assert [q["options"]["seed"] for q in server.questions] == [7, 8] * 4
    assert {q["options"]["temperature"] for q in server.questions} == {0.5}
    assert picture_of(server.questions[0]).shape == (32, 32, 3)
    assert ["attractive" in q["messages"][0]["content"] for q in server.questions[:4]] == [True, True, False, False]
    assert server.questions[0]["format"]["required"] == ["rating", "confidence"]
    rater.rate([face(204)])
    assert len(server.questions) == 8  # what was said is remembered


def test_the_mean_and_the_spread_are_of_the_ratings_that_were_given() -> None:
    says = {1: "0.4", 2: "I cannot.", 3: "0.6"}
    with FakeOllama(lambda server, request: says[request["options"]["seed"]]) as fake:
        ratings = rater_of(fake).rate([face(9)])
    assert ratings.mean == pytest.approx([3.0])
    assert ratings.measured["spread"] == pytest.approx([0.4])
    assert ratings.measured["answers"].tolist() == [2]
    assert np.isnan(ratings.measured["confidence"]).all()
    assert ratings.warnings(0) == []


def test_a_face_without_a_rating_gets_the_mean_and_says_so() -> None:
    with FakeOllama(lambda server, request: "I'm sorry, I can't.") as fake:
        ratings = rater_of(fake, mean_answer=0.25).rate([face(9)])
    assert ratings.mean == pytest.approx([2.0])
    assert ratings.warnings(0) == ["unanswered"]


def test_a_model_that_is_late_is_asked_again_and_then_counts_as_no_answer() -> None:
    go_on = threading.Event()

    def late(server: FakeOllama, request: dict[str, Any]) -> str:
        go_on.wait(60)
        return "0.5"

    with FakeOllama(late) as fake:
        rater = rater_of(fake, repeats=1, timeout=0.3)
        first = rater.rate([face(9)])
        assert first.measured["answers"].tolist() == [0]
        assert len(fake.questions) == TRIES
        go_on.set()
        patient = LanguageModel(replace(rater.card, config=replace(rater.config, timeout=20.0)))
        patient._interview._remembered = rater._interview._remembered
        assert patient.rate([face(9)]).measured["answers"].tolist() == [1]  # being late is not remembered


def test_a_missing_server_or_model_is_told_with_its_cure(server: FakeOllama) -> None:
    with pytest.raises(WeightsError, match=r"has no model other\. Get it: ollama pull other\. It has small:latest"):
        rater_of(server, model="other").rate([face(9)])
    with FakeOllama() as gone:
        rater = rater_of(gone)
    with pytest.raises(WeightsError, match=r"No Ollama server answers at http://127\.0\.0\.1:\d+ .* ollama serve"):
        rater.rate([face(9)])


def test_another_machine_is_refused_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ALLOWED, raising=False)
    for address in ("http://192.0.2.7:11434", "ollama.example.org", "https://[2001:db8::1]", "http://0x7f.example"):
        with pytest.raises(ConfigError, match="Photos would leave this machine"):
            Interview(LanguageModelConfig(server=address)).ask(np.zeros((8, 8, 3), np.uint8))
    for address in ("http://127.0.0.1:11434", "localhost", "[::1]:11434"):
        check_local(address, "llava:7b")
    for model in ("gpt-oss:120b-cloud", "qwen3-vl:cloud"):
        with pytest.raises(ConfigError, match=r"for ollama\.com"):
            check_local("localhost", model)
    monkeypatch.setenv(ALLOWED, "192.0.2.7")
    check_local("http://192.0.2.7:11434", "llava:7b")
    with pytest.raises(ConfigError, match=r"192\.0\.2\.8"):
        check_local("http://192.0.2.8:11434", "llava:7b")


def test_no_photo_goes_round_by_a_proxy_a_redirect_or_a_model_that_runs_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with FakeOllama() as elsewhere:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, elsewhere.address)
        with FakeOllama(redirect=elsewhere.address) as fake, pytest.raises(WeightsError, match="cannot answer"):
            rater_of(fake).rate([face(9)])
        with FakeOllama(shown={"remote_host": "https://ollama.com"}) as fake:
            with pytest.raises(ConfigError, match=r"leave this machine for ollama\.com"):
                rater_of(fake).rate([face(9)])
            assert fake.questions == []
        assert elsewhere.requests == []


def test_another_version_of_the_model_is_noted(server: FakeOllama) -> None:
    assert len(rater_of(server, digest=DIGEST).rate([face(9)]).notes) == 1
    assert "another version" in rater_of(server, digest="other").rate([face(9)]).notes[1]


def test_the_commonest_answer_is_counted() -> None:
    texts = ["7.8"] * 38 + [f"0.{n}" for n in range(10, 72)] + ["I cannot."]
    bias = Bias.of([read_answer(text) for text in texts])
    assert (bias.commonest, bias.share, bias.distinct, bias.problems) == (0.78, 0.38, 63, {"refused": 1})
    assert str(bias).startswith("The commonest answer, 0.78, is 38 % of all ratings; 63 different ones were given. ")
    assert str(Bias.of([])) == "There is no rating."


def test_answers_are_put_on_the_scale_of_training_photos_alone(server: FakeOllama, tmp_path: Path) -> None:
    data = synthetic.draw(30)
    settings = [f"model={MODEL}", f"server={server.address}", "crop.size=64", "repeats=1", "calibrate_on=12"]
    job = Job(with_settings(recipe("language_model"), settings), (data,), tmp_path / "run")
    lines: list[str] = []
    run = train_rater(job, lines.append)
    config = run.card.config
    assert isinstance(config, LanguageModelConfig)
    assert config.digest == DIGEST
    split = data.split(None, training=True)
    assert len(run.card.trained_on[0].photos) == 12
    assert run.card.knows("synthetic faces", split.test) == []
    assert any("different ones were given" in line for line in lines)
    assert any(line.startswith("Too few photos") for line in lines)  # two of 24 are held back
    counted = json.loads(run.card.artifact("answers").read_text())
    assert sum(counted["ratings"].values()) == counted["answers"] == 12
    assert len(server.questions) == 12 + 4 + 6  # held-back photos are seen both ways; six test photos
    (run.card.path).unlink()
    again = train_rater(replace(job, resume=True), lines.append)
    assert again.card.config == config
    assert len(server.questions) == 12 + 4 + 6 + 6
    portrait = io.BytesIO()
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(portrait, "PNG")
    whole = replace(again.card, name="whole", config=replace(config, crop=CropConfig("whole", 32)))
    (row,) = Scorer(str(cards.write(whole))).score(portrait.getvalue())
    assert row.score == pytest.approx(whole.scale.clip(config.offset + config.slope * 90 / 255), abs=1e-3)
    assert "was asked 1 time." in row.notes


def test_answers_that_run_against_the_raters_give_everyone_the_mean(tmp_path: Path) -> None:
    data = synthetic.draw(20)
    samples = data.samples
    means = {name: s.picture.mean() for name, s in samples.items() if s.picture is not None}
    data = replace(data, samples={name: replace(s, score=5 - means[name] / 64) for name, s in samples.items()})
    lines: list[str] = []
    with FakeOllama(brightness) as fake:
        config = config_of(fake, repeats=1, compare_on=0, crop=CropConfig("whole", 64))
        run = train_rater(Job(config, (data,), tmp_path / "run"), lines.append)
    assert isinstance(run.card.config, LanguageModelConfig)
    assert run.card.config.slope == 0
    assert any("run against the raters" in line for line in lines)

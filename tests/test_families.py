"""Raters of any family are trained by one job, from a row of the registry."""

from pathlib import Path

import numpy as np
import pytest

from beauty_evaluate.cli import train as train_command
from beauty_evaluate.datasets import registry as datasets
from beauty_evaluate.datasets import synthetic
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.mean_baseline import MeanBaselineConfig
from beauty_evaluate.training import families
from beauty_evaluate.training.families import recipe, train_rater
from beauty_evaluate.training.job import Job, train
from beauty_evaluate.training.lesson import FamilyTraining, Learnt, Lesson


def test_a_rival_is_trained_scored_and_reported_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train_command.main(["--preset", "mean_baseline", "--out", str(tmp_path / "run")]) == 0
    printed = capsys.readouterr().out
    card = registry.load_card(str(tmp_path / "run/weights/mean_baseline_synthetic.json"))
    assert isinstance(card.config, MeanBaselineConfig)
    data = datasets.synthetic()
    train_scores = [data.samples[name].score for name in data.split(None, training=True).train]
    assert card.config.mean == pytest.approx(np.mean(train_scores))
    assert card.metrics["synthetic faces"]["all"]["n"] == len(data.split(None, training=True).test)
    assert str(card.path) in printed
    page = (tmp_path / "run/report.html").read_text()
    assert "family mean_baseline" in page
    assert "Learning curves" not in page
    assert train_command.main(["--preset", "mean_baseline", "--out", str(tmp_path / "run")]) == 2
    assert "holds a run already" in capsys.readouterr().err


def test_a_lesson_holds_back_a_seeded_tenth_of_every_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lessons: list[Lesson] = []

    def fit(lesson: Lesson) -> Learnt:
        lessons.append(lesson)
        artifact = lesson.folder / f"{lesson.name}.head.npz"
        np.savez(artifact, weights=np.ones(2))
        return Learnt(lesson.config, tuple(s.name for s in lesson.samples[1:]), {"head": artifact}, parameters=2)

    monkeypatch.setitem(families.TRAININGS, "mean_baseline", FamilyTraining(fit, {"two": MeanBaselineConfig("two")}))
    both = (synthetic.draw(30), synthetic.draw(20, seed=1))
    for name in ("a", "b"):
        run = train_rater(Job(recipe("two"), both, tmp_path / name))
    first, second = lessons
    assert np.array_equal(first.held_back, second.held_back)
    assert (len(first.samples), first.held_back.sum()) == (40, 4)
    assert len(set(first.keys)) == 40
    assert [len(part.photos) for part in run.card.trained_on] == [23, 16]
    assert run.card.artifact("head").is_file()


def test_mistakes_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="There is no preset resnet1; there are six_block,"):
        recipe("resnet1")
    data = (synthetic.draw(10),)
    with pytest.raises(ConfigError, match="mean_baseline is no network"):
        train(Job(recipe("mean_baseline"), data, tmp_path / "run"))
    with pytest.raises(ConfigError, match="Leave out --from"):
        train_rater(Job(recipe("mean_baseline"), data, tmp_path / "run", start=registry.load_card("six_block")))

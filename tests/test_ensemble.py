"""Ensembles: weights that are learnt on photos no member has seen, a correction that must help, members that stay."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_raters import add_family, drawn_card

from beauty_evaluate.cli import train as train_command
from beauty_evaluate.config import RatingScale
from beauty_evaluate.datasets import registry as datasets
from beauty_evaluate.datasets import synthetic
from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.datasets.faces_of import faces_of
from beauty_evaluate.errors import ConfigError, DataError, WeightsError
from beauty_evaluate.evaluation.bench import CONSTANT, BenchJob, bench
from beauty_evaluate.evaluation.evaluate import assert_no_leakage, evaluate
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.ensemble import EnsembleConfig
from beauty_evaluate.reporting.bench_tables import sentences
from beauty_evaluate.training.ensemble import fit_blend, simplex_weights
from beauty_evaluate.training.families import train_rater
from beauty_evaluate.training.job import Job

SCALE = RatingScale(1, 5)


@pytest.fixture(autouse=True)
def family(monkeypatch: pytest.MonkeyPatch) -> None:
    add_family(monkeypatch)


@pytest.fixture(scope="module")
def data() -> DataSet:
    return synthetic.draw(300)


@pytest.fixture
def members(tmp_path: Path, data: DataSet) -> tuple[str, ...]:
    """Two raters that have learnt from the training part but for the tenth that `synthetic-val` holds back."""
    return tuple(str(drawn_card(tmp_path / "members", part, data).path) for part in ("eyes", "jaw"))


def trained(members: tuple[str, ...], data: DataSet, out: Path) -> str:
    """The path of the card of an ensemble."""
    return str(train_rater(Job(EnsembleConfig(members=members), (data,), out)).card.path)


def test_an_ensemble_is_trained_from_the_command_line(
    members: tuple[str, ...], data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(datasets, "read", lambda *_: data)
    words = ["--preset", "ensemble", "--set", f"members={json.dumps(members)}", "--data", str(tmp_path)]
    assert train_command.main([*words, "--out", str(tmp_path / "run")]) == 0
    fresh = len(data.split("synthetic-val").test)
    assert f"rating {fresh} photos that no member has learnt from" in capsys.readouterr().out
    card = registry.load_card(str(tmp_path / "run" / "weights" / "ensemble_synthetic.json"))
    assert isinstance(card.config, EnsembleConfig)
    assert card.config.members == ("eyes", "jaw")
    assert len(card.knows(data.title, data.samples)) == len(data.split().train)  # what its members know, it knows
    assert [part.split for part in card.trained_on] == ["synthetic", "synthetic-val"]  # whence, the members' once
    with pytest.raises(DataError, match="has learnt from"):
        assert_no_leakage(card, data, data.split().train[:1])


def test_it_stands_alone_and_says_what_its_members_say(members: tuple[str, ...], data: DataSet, tmp_path: Path) -> None:
    path = trained(members, data, tmp_path / "run")
    shutil.rmtree(tmp_path / "members")
    shutil.move(tmp_path / "run" / "weights", tmp_path / "elsewhere")
    rater = registry.load(str(tmp_path / "elsewhere" / Path(path).name))
    (batch,) = faces_of(list(data.samples.values())[:5])
    ratings = rater.rate([face for face in batch.values() if isinstance(face, Face)])
    assert set(ratings.parts) == {"eyes", "jaw"}
    assert ratings.measured["disagreement"] == pytest.approx(np.std(list(ratings.parts.values()), axis=0))
    assert rater.needs == {"crop"}
    card = tmp_path / "elsewhere" / "eyes.json"
    card.write_text(card.read_text().replace("60.0", "61.0"))
    with pytest.raises(WeightsError, match="is not the file that its card describes"):
        registry.load(str(tmp_path / "elsewhere" / Path(path).name))


def test_members_may_see_other_crops(data: DataSet, tmp_path: Path) -> None:
    paths = [str(drawn_card(tmp_path / part, part, data, size=size).path) for part, size in (("eyes", 64), ("jaw", 96))]
    rater = registry.load(trained((paths[0], paths[1]), data, tmp_path / "run"))
    assert rater.needs == {"crop", "photo"}
    names = data.split().test[:3]
    alone = evaluate(registry.load(paths[1]), data, names).predicted
    faces = [face for batch in faces_of([data.samples[n] for n in names]) for face in batch.values()]
    said = rater.rate([face for face in faces if isinstance(face, Face)]).parts["jaw"]
    assert np.corrcoef(said, alone)[0, 1] == pytest.approx(1)
    assert not evaluate(rater, data, names).missed


def test_the_bench_says_whether_it_beats_its_best_member(
    members: tuple[str, ...], data: DataSet, tmp_path: Path
) -> None:
    path = trained(members, data, tmp_path / "run")
    (part,) = bench(BenchJob((path,), (data,), tmp_path / "b")).parts
    rows = {row.rater: row for row in part.rows}
    assert list(rows) == [CONSTANT, "ensemble_synthetic", "eyes", "jaw"]  # the members need not be named
    assert rows["ensemble_synthetic"].members == ("eyes", "jaw")
    both = (60 + 60 + registry.load_card(path).seconds) / 60  # the members' too
    assert rows["ensemble_synthetic"].minutes == pytest.approx(both, abs=0.05)
    assert (rows["ensemble_synthetic"].pearson or 0) > (rows["eyes"].pearson or 0) + 0.05
    (pair,) = part.pairs
    assert (pair.first, pair.second, pair.best_member) == ("ensemble_synthetic", "eyes", True)
    assert "`ensemble_synthetic` beats its best member, `eyes`: PC +0." in sentences(part)[0]
    level = replace(pair, difference=replace(pair.difference, low=-0.01))
    assert "does not beat its best member" in sentences(replace(part, pairs=(level,)))[0]


def test_photos_that_a_member_knows_are_no_photos_to_weigh_it_on(data: DataSet, tmp_path: Path) -> None:
    whole = tuple(str(drawn_card(tmp_path, part, data, "synthetic").path) for part in ("eyes", "jaw"))
    with pytest.raises(DataError, match="0 photos that no member has learnt from are too few"):
        trained(whole, data, tmp_path / "a")
    elsewhere = tuple(str(drawn_card(tmp_path, part, data, "all").path) for part in ("eyes", "jaw"))
    with pytest.raises(DataError, match="eyes has learnt from photos that are not in the training part here"):
        trained(elsewhere, data, tmp_path / "b")
    with pytest.raises(ConfigError, match="takes 2 to 10 members, not 1"):
        trained(whole[:1], data, tmp_path / "c")
    with pytest.raises(ConfigError, match="Two cards of the ensemble are called eyes"):
        trained((whole[0], whole[0]), data, tmp_path / "d")


def test_weights_are_the_best_that_are_not_negative_and_add_up_to_one() -> None:
    rng = np.random.default_rng(0)
    labels = rng.normal(0, 1, 400)
    mapped = labels + rng.normal(0, 1, (3, 400)) * [[0.3], [0.4], [2]]
    weights = np.array(simplex_weights(mapped, labels, 0))
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    tried = rng.dirichlet(np.ones(3), 3000)
    assert ((weights @ mapped - labels) ** 2).mean() <= ((tried @ mapped - labels) ** 2).mean(1).min() + 1e-12
    assert simplex_weights(np.stack([labels, -labels]), labels, 0) == pytest.approx((1, 0))
    assert simplex_weights(mapped, labels, 1e6) == pytest.approx((1 / 3,) * 3, abs=1e-4)


def test_a_correction_stays_only_where_it_helps() -> None:
    rng = np.random.default_rng(1)
    labels = rng.uniform(1, 5, 300)
    straight = labels + rng.normal(0, 0.3, (2, 300))
    bent = 1 + (straight - 1) ** 2 / 4
    blend = fit_blend(bent, labels, EnsembleConfig(), SCALE, [SCALE] * 2)
    plain = fit_blend(bent, labels, EnsembleConfig(correction=False), SCALE, [SCALE] * 2)
    assert len(blend.correction) == 4
    assert plain.correction == ()
    errors = [np.abs(one.apply(bent) - labels).mean() for one in (blend, plain)]
    assert errors[0] < 0.7 * errors[1]
    mean = rng.uniform(1, 5, 20)  # labels that lie around it by chance alone
    by_chance = fit_blend(np.stack([mean, mean]), mean + rng.normal(0, 0.5, 20), EnsembleConfig(), SCALE, [SCALE] * 2)
    assert by_chance.correction == ()
    far = blend.apply(np.full((2, 1), 1e6)) - plain.apply(np.full((2, 1), 1e6))
    assert abs(far[0]) < 10  # beyond what it was fitted on, it stays as it is


def test_members_on_other_scales_are_mapped(data: DataSet) -> None:
    labels = np.linspace(1, 5, 50)
    blend = fit_blend(
        np.stack([labels, 10 * labels + 3]), labels, EnsembleConfig(), SCALE, [SCALE, RatingScale(0, 100)]
    )
    assert list(blend.slopes) == pytest.approx([1, 0.1])
    assert blend.apply(np.array([[2.0], [23.0]])) == pytest.approx(2)

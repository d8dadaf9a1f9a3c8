"""A rater as a folder to hand on: all it needs, under its own card, and nothing else."""

import io
import json
import runpy
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import PORTRAIT, Run

from beauty_evaluate import Scorer
from beauty_evaluate.config import RatingScale
from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.files import sha256
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters import deploy, registry
from beauty_evaluate.raters.card import Artifact, Card
from beauty_evaluate.raters.mean_baseline import MeanBaselineConfig
from beauty_evaluate.web.app import create_app


def mean_card(folder: Path, name: str = "mean", **changes: object) -> Card:
    folder.mkdir(parents=True, exist_ok=True)
    card = Card(name, MeanBaselineConfig(mean=2.5), RatingScale(1, 5), folder=folder)
    cards.write(replace(card, **changes))  # type: ignore[arg-type]
    return registry.load_card(str(card.path))


def test_the_default_rater_goes_from_the_command_line_to_another_folder_and_scores_there(
    here: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = here("-m", "beauty_evaluate", "export", "--rater", "six_block_60-40", "--out", "mine")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("mine: six_block_60-40, ")
    assert "python3 use.py PHOTO --weights mine" in done.stdout
    folder = tmp_path / "mine"
    names = {f"six_block_60-40.{kind}" for kind in ("json", "onnx", "weights.h5", "stats.npz")}
    assert {path.name for path in folder.iterdir()} == names | {"README.md", "example.py"}
    (ours,) = Scorer("six_block_60-40").score(PORTRAIT)
    (row,) = Scorer(str(folder)).score(PORTRAIT)
    assert row == ours
    scored = here("use.py", PORTRAIT, "--weights", "mine")
    assert f"{ours.score:.2f}" in scored.stdout
    example = (folder / "example.py").read_text()
    assert len(example.splitlines()) <= 20
    monkeypatch.setattr(sys, "argv", ["example.py", str(PORTRAIT), "missing.jpg"])
    runpy.run_path(str(folder / "example.py"), run_name="__main__")
    printed = capsys.readouterr().out
    assert f"face 1: {ours.score:.2f} on a scale of 1..5" in printed
    assert "missing.jpg: No such file" in printed
    about = (folder / "README.md").read_text()
    assert "SCUT-FBP5500" in about
    client = create_app(Scorer(str(folder))).test_client()
    answer = client.post("/fragment/score", data={"photo": (io.BytesIO(PORTRAIT.read_bytes()), "me.jpg")})
    assert f"{ours.score:.2f}" in answer.get_data(as_text=True)


def test_members_of_a_rater_come_along(tmp_path: Path) -> None:
    first, second = (mean_card(tmp_path / "run", name) for name in ("first", "second"))
    notes = tmp_path / "run" / "first.notes.json"
    notes.write_text("{}")
    first = mean_card(tmp_path / "run", "first", artifacts={"notes": Artifact(notes.name, sha256(notes))})
    members = {card.name: Artifact(card.path.name, sha256(card.path)) for card in (first, second)}
    both = mean_card(tmp_path / "run", "both", artifacts=members)
    deployed = deploy.deploy(both, tmp_path / "out")
    assert deployed.files == ("both.json", "first.json", "first.notes.json", "second.json")
    assert registry.load_card(str(tmp_path / "out")).name == "both"
    assert deploy.deploy(both, tmp_path / "out").bytes == deployed.bytes  # the same again


def test_what_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    card = mean_card(tmp_path / "a")
    with pytest.raises(ConfigError, match="Name another folder"):
        deploy.deploy(card, tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "letter.txt").write_text("Dear all")
    with pytest.raises(ConfigError, match=r"holds letter\.txt and is not for this rater"):
        deploy.deploy(card, tmp_path / "b")
    with pytest.raises(ConfigError, match="is a file"):
        deploy.deploy(card, tmp_path / "b" / "letter.txt")
    outside = replace(card, artifacts={"head": Artifact("../b/letter.txt", sha256(tmp_path / "b" / "letter.txt"))})
    with pytest.raises(WeightsError, match="outside its folder"):
        deploy.deploy(outside, tmp_path / "c")
    assert not (tmp_path / "c").exists()


def test_a_changed_file_is_not_handed_on(tmp_path: Path) -> None:
    head = tmp_path / "a" / "head.json"
    head.parent.mkdir()
    head.write_text("{}")
    card = mean_card(tmp_path / "a", artifacts={"head": Artifact(head.name, sha256(head))})
    head.write_text("{ }")
    with pytest.raises(WeightsError, match="is not the file that its card describes"):
        deploy.deploy(card, tmp_path / "b")


def test_a_folder_stands_for_its_one_card(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"holds no cards\. Name another folder"):
        registry.load_card(str(tmp_path))
    (tmp_path / "explain.json").write_text(json.dumps({"artifacts": 3}))
    mean_card(tmp_path, "one")
    assert registry.load_card(str(tmp_path)).name == "one"
    mean_card(tmp_path, "two")
    with pytest.raises(WeightsError, match=r"holds 2 cards: one\.json, two\.json\. Name one of them"):
        registry.load_card(str(tmp_path))


def test_a_name_in_weights_comes_before_a_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mean_card(tmp_path / "six_block_60-40")
    assert registry.load_card("six_block_60-40").name == "six_block_60-40"


def test_a_folder_and_a_network_are_two_wishes(here: Run) -> None:
    done = here("-m", "beauty_evaluate", "export", "--rater", "six_block_60-40", "--weights", "six_block_60-40")
    assert done.returncode == 2
    assert "Leave one out" in done.stderr

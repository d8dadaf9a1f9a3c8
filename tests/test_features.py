"""Heads on frozen features: what is cached, what is chosen, what is refused."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from test_raters import network_card

from beauty_evaluate import metrics
from beauty_evaluate.config import CropConfig
from beauty_evaluate.datasets import synthetic
from beauty_evaluate.datasets.dataset import DataSet, Sample
from beauty_evaluate.datasets.faces_of import faces_of
from beauty_evaluate.errors import ConfigError, DataError, WeightsError
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.files import sha256
from beauty_evaluate.presets import preset
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters import feature_cache, registry
from beauty_evaluate.raters.backbone_config import BackboneConfig
from beauty_evaluate.raters.card import Artifact, Card, photo_hash
from beauty_evaluate.raters.features import ExtractorConfig, FeaturesConfig
from beauty_evaluate.raters.fusion import FusionConfig
from beauty_evaluate.raters.geometry import RuleConfig
from beauty_evaluate.raters.heads import HeadConfig, predict_views, read_head
from beauty_evaluate.raters.network import NetworkRater
from beauty_evaluate.training import extract, heads
from beauty_evaluate.training.export import to_onnx
from beauty_evaluate.training.extract import Extracted
from beauty_evaluate.training.families import train_rater
from beauty_evaluate.training.job import Job, TrainingRun


def mean_colour_network(path: Path, size: int = 16, channels_first: bool = True) -> Path:
    """An ONNX network whose embedding is the mean of each channel."""
    shape: list[str | int | None] = ["n", 3, size, size] if channels_first else ["n", size, size, 3]
    axes = [2, 3] if channels_first else [1, 2]
    make = onnx.helper
    graph = make.make_graph(
        [make.make_node("ReduceMean", ["x"], ["y"], axes=axes, keepdims=0)],
        "mean",
        [make.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)],
        [make.make_tensor_value_info("y", onnx.TensorProto.FLOAT, ["n", 3])],
    )
    onnx.save(make.make_model(graph, opset_imports=[make.make_opsetid("", 13)], ir_version=8), path)
    return path


def coloured(n: int = 40, broken: str = "") -> DataSet:
    """Drawn faces whose score is their redness."""
    drawn, samples = synthetic.draw(n), {}
    for i, sample in enumerate(drawn.samples.values()):
        assert sample.picture is not None
        red = np.random.default_rng(i).uniform(0, 1)
        picture = (sample.picture * [red, 1, 1]).astype(np.uint8)
        picture = picture if sample.name != broken else np.zeros_like(picture)
        points = sample.points if sample.name != broken else None
        samples[sample.name] = replace(sample, picture=picture, score=1 + 4 * red, points=points)
    return replace(drawn, samples=samples)


def drawn_face(number: int = 0) -> Face:
    sample = coloured(number + 1).samples[f"drawn{number:05}.png"]
    assert sample.points is not None
    return Face((0, 0, 200, 200), sample.points, 1.0, sample.picture)


def onnx_config(path: Path, **changes: object) -> FeaturesConfig:
    config = FeaturesConfig(CropConfig(size=16), BackboneConfig(str(path), preprocess="unit"), preset="onnx_features")
    return replace(config, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("channels_first", [True, False])
def test_any_embedding_network_gets_a_head(channels_first: bool, tmp_path: Path) -> None:
    path = mean_colour_network(tmp_path / "embedding.onnx", channels_first=channels_first)
    run = train_rater(Job(onnx_config(path), (coloured(),), tmp_path / "run"))
    assert metrics.pearson(run.evaluations["synthetic faces"].predicted, run.evaluations["synthetic faces"].true) > 0.95
    assert sorted(run.card.artifacts) == ["head", "onnx"]
    assert isinstance(run.card.config, FeaturesConfig)
    assert run.card.config.backbone.source == "embedding.onnx"
    head = read_head(run.card.artifact("head"))
    assert head.kernels[0].shape == (3, 1)
    face = drawn_face()
    crop = face.crop(run.card.config.crop)
    rating = registry.load(str(run.card.path)).rate([face]).mean[0]
    assert rating == pytest.approx(head((crop / 255).mean((0, 1))[None])[0], abs=1e-4)


def test_two_heads_of_one_network_are_told_apart(tmp_path: Path) -> None:
    path = mean_colour_network(tmp_path / "embedding.onnx")
    first, again, other = (
        train_rater(Job(onnx_config(path, head=HeadConfig("ridge", alphas=(a,))), (coloured(),), tmp_path / n)).card
        for a, n in ((0.1, "a"), (0.1, "b"), (0.2, "c"))
    )
    assert first.identity == again.identity
    assert first.identity != other.identity


def test_what_an_onnx_file_does_not_say_is_asked(tmp_path: Path) -> None:
    path, data = mean_colour_network(tmp_path / "embedding.onnx"), (coloured(20),)
    silent = onnx_config(path, backbone=BackboneConfig(str(path)))
    for config, told in (
        (silent, "does not say how it takes pixels"),
        (onnx_config(path, crop=CropConfig(size=32)), "--set crop.size=16"),
        (onnx_config(tmp_path / "none.onnx"), "No such file: .*none.onnx"),
        (onnx_config(path, backbone=BackboneConfig("")), r"Name a file: --backbone FILE\.onnx"),
    ):
        with pytest.raises(ConfigError, match=told):
            train_rater(Job(config, data, tmp_path / "run"))


def own_network(folder: Path, *names: str) -> Card:
    """A small network of ours that has learnt from drawn faces of these names."""
    card = network_card(preset("synthetic"), folder)
    photos = tuple(photo_hash(synthetic.TITLE, name) for name in names)
    learnt = replace(card.trained_on[0], data_set=synthetic.TITLE, photos=photos)
    cards.write(card, trained_on=(learnt,))
    return card


def test_features_of_our_own_network_make_a_rater_that_needs_no_other_file(tmp_path: Path) -> None:
    network = own_network(tmp_path, "drawn00001.png")
    config = FeaturesConfig(backbone=BackboneConfig(str(network.path)))
    run = train_rater(Job(config, (coloured(),), tmp_path / "run"))
    assert isinstance(run.card.config, FeaturesConfig)
    assert run.card.config.crop == preset("synthetic").crop
    assert read_head(run.card.artifact("head")).kernels[0].shape == (32, 1)
    assert len(run.card.trained_on) == 2  # what the network has learnt from counts as well
    network.path.unlink()
    assert np.isfinite(run.evaluations["synthetic faces"].predicted).all()


def test_a_network_whose_file_gives_no_features_is_exported_again(tmp_path: Path) -> None:
    """As files of release 0.1 are."""
    card = own_network(tmp_path)
    path = card.artifact("onnx")
    to_onnx(NetworkRater(card).keras_model(), path)
    cards.write(card, artifacts={**card.artifacts, "onnx": Artifact(path.name, sha256(path))})
    config = FeaturesConfig(backbone=BackboneConfig(str(card.path)))
    run = train_rater(Job(config, (coloured(),), tmp_path / "run"))
    assert read_head(run.card.artifact("head")).kernels[0].shape == (32, 1)
    assert np.isfinite(run.evaluations["synthetic faces"].predicted).all()


def test_a_fusion_takes_the_features_of_any_network(tmp_path: Path) -> None:
    path = mean_colour_network(tmp_path / "embedding.onnx")
    rule = RuleConfig(penalty=0.01)
    extractor = ExtractorConfig(CropConfig(size=16), BackboneConfig(str(path), preprocess="unit"))
    config = FusionConfig(embedding=extractor, rule=rule, embedding_rule=rule)
    run = train_rater(Job(config, (coloured(),), tmp_path / "run"))
    path.unlink()
    faces = [drawn_face(i) for i in range(8)]
    parts = registry.load(str(run.card.path)).rate(faces).parts
    assert np.corrcoef(parts["network"], [sample.score for sample in coloured(8).samples.values()])[0, 1] > 0.8
    assert isinstance(run.card.config, FusionConfig)
    assert run.card.config.crop == CropConfig()  # the mesh sees more than 16 pixels


def test_a_fusion_knows_what_its_network_has_learnt_from(tmp_path: Path) -> None:
    network = own_network(tmp_path, "drawn00001.png")
    config = FusionConfig(embedding=ExtractorConfig(backbone=BackboneConfig(str(network.path))))
    run = train_rater(Job(config, (coloured(),), tmp_path / "run"))
    assert isinstance(run.card.config, FusionConfig)
    assert run.card.config.embedding.crop == preset("synthetic").crop
    assert [len(part.photos) for part in run.card.trained_on[1:]] == [1]


def test_a_network_that_has_learnt_from_test_photos_is_refused(tmp_path: Path) -> None:
    network = own_network(tmp_path, coloured().split().test[0])
    config = FeaturesConfig(backbone=BackboneConfig(str(network.path)))
    with pytest.raises(ConfigError, match=r"has learnt from 1 photos of these data sets .*--backbone"):
        train_rater(Job(config, (coloured(),), tmp_path / "run"))
    assert not list((tmp_path / "run").rglob("*.json"))


def test_features_are_computed_once_for_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEAUTY_CACHE", str(tmp_path / "cache"))
    path = mean_colour_network(tmp_path / "embedding.onnx")
    looked: list[int] = []

    def looked_at(samples: Sequence[Sample], config: CropConfig, crop_alone: bool) -> Iterator[object]:
        looked.append(len(samples))
        return faces_of(samples, config, crop_alone)

    monkeypatch.setattr(extract, "faces_of", looked_at)

    def figure(name: str, data: DataSet, config: FeaturesConfig) -> TrainingRun:
        return train_rater(Job(config, (data,), tmp_path / name))

    first, again = (figure(name, coloured(), onnx_config(path)) for name in ("a", "b"))
    assert looked == [32]
    assert first.card.metrics == again.card.metrics
    changed = coloured()
    first_photo = changed.samples["drawn00000.png"]
    assert first_photo.picture is not None
    changed.samples["drawn00000.png"] = replace(first_photo, picture=first_photo.picture[:, ::-1].copy())
    figure("c", changed, onnx_config(path))
    figure("d", coloured(), onnx_config(path, flip_tta=False))
    assert looked == [32, 1, 32]  # same name and other pixels; other views


def test_a_photo_without_a_face_is_a_problem_every_time(tmp_path: Path) -> None:
    path = mean_colour_network(tmp_path / "embedding.onnx")
    for name in ("a", "b"):
        run = train_rater(Job(onnx_config(path), (coloured(broken="drawn00003.png"),), tmp_path / name))
        assert len(run.problems) == 1
        assert run.problems[0].startswith("drawn00003.png: No face was found.")
        assert run.card.trained_on[0].labels["n"] == 31


def test_a_damaged_cache_counts_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.npz").write_bytes(b"damaged")
    assert feature_cache.cached(tmp_path, "x", ["k"], lambda places: np.array([[7.0]])).tolist() == [[7.0]]
    assert feature_cache.cached(tmp_path, "x", ["k", "k"], lambda places: np.zeros((0, 1))).tolist() == [[7.0], [7.0]]


def test_an_interrupted_extraction_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_cache, "AT_ONCE", 2)
    asked: list[list[int]] = []

    def compute(places: list[int]) -> np.ndarray:
        asked.append(places)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return np.array([[float(place)] for place in places])

    keys = ["a", "b", "c", "d"]
    with pytest.raises(KeyboardInterrupt):
        feature_cache.cached(tmp_path, "x", keys, compute)
    assert feature_cache.cached(tmp_path, "x", keys, compute).tolist() == [[0], [1], [2], [3]]
    assert asked == [[0, 1], [2, 3], [2, 3]]


def test_without_the_variable_features_lie_in_the_users_folder_of_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BEAUTY_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert feature_cache.cache_folder() == Path("/somewhere/beauty_evaluate/features")


def noisy(n: int = 300, width: int = 40, seed: int = 0) -> Extracted:
    """Features of which one counts."""
    rng = np.random.default_rng(seed)
    features = rng.normal(2, 3, (n, 2, width)).astype(np.float32)
    features[:, 1] = features[:, 0]
    scores = 3 + 0.2 * features[:, 0, 0] + rng.normal(0, 0.1, n)
    held_back = np.arange(n) % 10 == 0
    return Extracted(tuple(map(str, range(n))), features, scores, held_back, ())


def test_the_penalty_is_chosen_on_photos_held_back_alone() -> None:
    data = noisy(60)
    said: list[str] = []
    head, history = heads.fit_head(data, HeadConfig("ridge", alphas=(1e-6, 0.1, 100.0)), said.append)
    assert history == []
    assert "penalty 0.1" in said[0]
    reversed_scores = np.where(data.held_back, 6 - data.scores, data.scores)
    heads.fit_head(replace(data, scores=reversed_scores), HeadConfig("ridge", alphas=(1e-6, 0.1, 100.0)), said.append)
    assert "penalty 100" in said[1]
    x = (data.features[:, 0] - data.features[:, 0].mean(0)) / data.features[:, 0].std(0)
    normal = x.T @ x + 0.1 * len(x) * np.eye(x.shape[1])
    expected = x @ np.linalg.solve(normal, x.T @ (data.scores - data.scores.mean())) + data.scores.mean()
    assert np.allclose(predict_views(head, data.features), expected, atol=1e-3)


def test_layers_learn_what_a_line_cannot() -> None:
    data = noisy(width=3)
    data = replace(data, scores=3 + np.abs(data.features[:, 0, 0] - 2) * 0.3)
    config = HeadConfig("mlp", hidden=(32,), dropout=0.0, epochs=30, learning_rate=1e-2, plateau=30)
    held = data.held_back
    pcs = {}
    for kind in ("mlp", "ridge"):
        head, history = heads.fit_head(data, replace(config, kind=kind), lambda line: None)
        pcs[kind] = np.corrcoef(predict_views(head, data.features[held]), data.scores[held])[0, 1]
        assert len(history) == (30 if kind == "mlp" else 0)
    assert pcs["mlp"] > 0.8
    assert pcs["ridge"] < 0.5


def test_the_best_epoch_of_a_head_is_kept() -> None:
    data = noisy(60)
    config = HeadConfig("mlp", epochs=12, learning_rate=0.3, plateau=12, dropout=0.0)
    head, history = heads.fit_head(data, config, lambda line: None)
    errors = [p.validation["rmse"] for p in history]
    scores = predict_views(head, data.features[data.held_back])
    assert np.sqrt(np.mean((scores - data.scores[data.held_back]) ** 2)) == pytest.approx(min(errors), rel=1e-6)
    assert min(errors) < errors[-1]


def test_too_few_photos_and_a_damaged_head_are_told(tmp_path: Path) -> None:
    data = noisy(5)
    with pytest.raises(DataError, match="too few photos"):
        heads.fit_head(replace(data, held_back=np.zeros(5, bool)), HeadConfig(), lambda line: None)
    (tmp_path / "head.npz").write_bytes(b"PK")
    with pytest.raises(WeightsError, match="cannot be read as a head"):
        read_head(tmp_path / "head.npz")


def test_a_photo_is_known_by_its_bytes(tmp_path: Path) -> None:
    for name, content in (("a.jpg", b"1"), ("b.jpg", b"1"), ("c.jpg", b"2")):
        (tmp_path / name).write_bytes(content)
    a, b, c = (feature_cache.photo_key(Sample(n, 3, path=tmp_path / n)) for n in ("a.jpg", "b.jpg", "c.jpg"))
    assert a == b != c

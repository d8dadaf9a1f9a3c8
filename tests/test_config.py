import json
from typing import Any

import pytest

from beauty_evaluate import presets
from beauty_evaluate.config import AugmentConfig, Config, CropConfig, NetworkConfig, TrainingConfig
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.settings import from_json, to_json, with_settings


@pytest.mark.parametrize("name", presets.PRESETS)
def test_presets_survive_json(name: str) -> None:
    stored = json.loads(json.dumps(to_json(presets.preset(name))))
    assert from_json(stored, Config) == presets.preset(name)


def test_unknown_and_missing_settings_are_errors() -> None:
    stored = to_json(presets.preset("six_block"))
    stored["training"]["learning_rat"] = 1
    with pytest.raises(ConfigError, match="learning_rat"):
        from_json(stored, Config)
    with pytest.raises(ConfigError, match="preset"):
        from_json({}, Config)
    with pytest.raises(ConfigError, match="nothing"):
        presets.preset("nothing")


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (TrainingConfig, {"epochs": 3.5}, "epochs takes a value of type int, not 3.5"),
        (TrainingConfig, {"epochs": True}, "epochs takes a value of type int"),
        (TrainingConfig, {"learning_rate": "fast"}, "learning_rate takes a value of type float"),
        (TrainingConfig, {"learning_rate": float("nan")}, "learning_rate takes a value of type float"),
        (TrainingConfig, {"optimizer": "sgd"}, "optimizer takes"),
        (TrainingConfig, {"epochs": 0}, "epochs takes a number of at least 1, not 0"),
        (TrainingConfig, {"learning_rate": 0}, "learning_rate takes a number above 0, not 0"),
        (TrainingConfig, {"batch_size": 0}, "batch_size takes a number of at least 1"),
        (TrainingConfig, {"ema_decay": 1.5}, "ema_decay takes a number from 0 to 1"),
        (TrainingConfig, {"seed": -1}, "seed takes a number of at least 0"),
        (AugmentConfig, {"mixup": 1.1}, "mixup takes a number from 0 to 1"),
        (AugmentConfig, {"erase": -0.1}, "erase takes a number from 0 to 1"),
        (AugmentConfig, {"erase_side": (0.1, 2.0)}, "erase_side takes a number from 0 to 0.99"),
        (AugmentConfig, {"blur_sigma": (0.4,)}, "blur_sigma takes a value of type"),
        (CropConfig, {"size": 0}, "size takes a number from 16 to 4096"),
        (CropConfig, {"grey": "yes"}, "grey takes a value of type bool"),
        (NetworkConfig, {"channels": (8, 0, 8, 8, 8, 8)}, "channels takes a number of at least 1"),
        (NetworkConfig, {"channels": (8, 8)}, "a number for each block"),
        (NetworkConfig, {"dropout": 1}, "dropout takes a number from 0 to 0.99"),
    ],
)
def test_settings_of_the_wrong_type_or_size_are_named(kind: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        kind(**settings)
    assert message in str(error.value)


def test_settings_are_changed_by_their_path() -> None:
    base = presets.preset("six_block")
    changed = with_settings(base, ["training.batch_size=8", "flip_tta=false", "augment.erase_side=[0.1, 0.2]"])
    assert (changed.training.batch_size, changed.flip_tta, changed.augment.erase_side) == (8, False, (0.1, 0.2))
    assert with_settings(base, ["crop.size=64", "network.first_stride=1"]).crop.size == 64  # either order will do
    assert with_settings(base, ["network.kind=article"]).network.kind == "article"
    for setting, message in (
        ("training", "--set takes section.key=value"),
        ("training=1", "is a section"),
        ("training.epoch=1", "There is no setting training.epoch"),
        ("training.epochs.x=1", "has no parts"),
        ("family=mean_baseline", "There is no setting family"),
        ("crop.size=64", "set crop.size of 128 or more, or network.first_stride=1"),
    ):
        with pytest.raises(ConfigError, match=message):
            with_settings(base, [setting])


def test_the_main_network_is_what_it_is_named_after() -> None:
    net = presets.preset("six_block").network
    assert len(net.channels) == len(net.convolutions) == 6
    assert len(net.hidden) == 2
    assert presets.preset("six_block").training.epochs == 40

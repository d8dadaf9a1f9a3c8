import json

import pytest

from beauty_evaluate import config
from beauty_evaluate.errors import ConfigError


@pytest.mark.parametrize("name", config.PRESETS)
def test_presets_survive_json(name: str) -> None:
    stored = json.loads(json.dumps(config.to_json(config.preset(name))))
    assert config.from_json(stored) == config.preset(name)


def test_unknown_and_missing_settings_are_errors() -> None:
    stored = config.to_json(config.preset("six_block"))
    stored["training"]["learning_rat"] = 1
    with pytest.raises(ConfigError, match="learning_rat"):
        config.from_json(stored)
    with pytest.raises(ConfigError, match="preset"):
        config.from_json({})
    with pytest.raises(ConfigError, match="Received: nothing"):
        config.preset("nothing")


def test_the_main_network_is_what_it_is_named_after() -> None:
    net = config.preset("six_block").network
    assert len(net.channels) == len(net.convolutions) == 6
    assert len(net.hidden) == 2
    assert config.preset("six_block").training.epochs == 40

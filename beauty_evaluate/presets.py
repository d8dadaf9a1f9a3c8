"""The named recipes."""

from beauty_evaluate.config import AugmentConfig, Config, CropConfig, NetworkConfig, TrainingConfig
from beauty_evaluate.errors import ConfigError

NO_AUGMENT = AugmentConfig(
    mirror=False, rotation=0, scale=0, shift=0, brightness=0, contrast=0, colour=0, blur=0, erase=0, mixup=0
)

PRESETS: dict[str, Config] = {
    "six_block": Config(
        "six_block",
        network=NetworkConfig(first_stride=2),
        training=TrainingConfig(
            batch_size=64, learning_rate=6e-3, weight_decay=0.2, landmark_weight=1.0, group_weight=0.3
        ),
    ),
    # The network of the article this project started from, as its author published it.
    "article": Config(
        "article",
        CropConfig("whole", 160, grey=True),
        NetworkConfig(
            "article", (64, 64, 128, 128, 256, 512), (1,) * 6, residual=False, hidden=(256, 512), dropout=0.25
        ),
        NO_AUGMENT,
        TrainingConfig(
            batch_size=128,
            optimizer="adam",
            learning_rate=1e-3,
            warmup_epochs=0,
            schedule="constant",
            weight_decay=0,
            ema_decay=0,
            landmark_weight=0,
        ),
        flip_tta=False,
    ),
    # Small enough to learn the synthetic faces in a minute.
    "synthetic": Config(
        "synthetic",
        CropConfig(size=64),
        NetworkConfig(channels=(8, 16, 16, 24, 32, 32), hidden=(32, 16), convolutions=(1,) * 6, dropout=0.1),
        NO_AUGMENT,  # a jaw is three pixels wide or narrow here
        TrainingConfig(batch_size=16, learning_rate=5e-3, landmark_weight=0, ema_decay=0.95),
    ),
}


def preset(name: str) -> Config:
    """The recipe of that name; ConfigError names those there are."""
    if name not in PRESETS:
        raise ConfigError(f"There is no preset {name}; there are {', '.join(PRESETS)}.")
    return PRESETS[name]

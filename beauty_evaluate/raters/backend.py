"""Keras as this project needs it: on TensorFlow, float32, channels last, whatever the user's environment says.

All modules of the package take `keras` and `tf` from here, so that both are set up before anything is built with them.
"""

import os
import sys
from importlib import import_module

from beauty_evaluate.errors import ConfigError

__all__ = ["keras", "prepare", "tf"]

BACKEND = "tensorflow"
VARIABLE = "KERAS_BACKEND"
ONEDNN = "TF_ENABLE_ONEDNN_OPTS"  # off by default on processors without AVX-512, where a training is 1.6 times slower


def prepare() -> None:
    """Import Keras on TensorFlow, in spite of `KERAS_BACKEND` and of a `keras.json`; the variable stays as it was.

    Raises:
        ConfigError: Keras was imported before, on another backend.

    Example:
        >>> prepare()
        >>> keras.backend.backend(), keras.config.floatx()
        ('tensorflow', 'float32')
    """
    before, early = os.environ.get(VARIABLE), "keras" in sys.modules
    os.environ[VARIABLE] = BACKEND
    os.environ.setdefault(ONEDNN, "1")
    try:
        module = import_module("keras")
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before
    backend = module.backend.backend()
    if early and backend != BACKEND:
        raise ConfigError(
            f"Keras runs on {backend} in this process, and this project needs it on TensorFlow. "
            f"Set {VARIABLE}={BACKEND} before Keras is imported."
        )
    module.config.set_floatx("float32")
    module.config.set_image_data_format("channels_last")


prepare()

import keras as keras  # noqa: E402 (only now is it as it should be)
import tensorflow as tf  # noqa: E402

"""Keras as this project needs it: on TensorFlow, float32, channels last, whatever the user's environment says.

All modules of the package take `keras` from here, so that it is set up before anything is built with it.
"""

import os
import sys
from importlib import import_module
from typing import Any

from beauty_evaluate.errors import ConfigError

BACKEND = "tensorflow"
VARIABLE = "KERAS_BACKEND"


def prepared_keras() -> Any:
    """Import Keras on TensorFlow, in spite of `KERAS_BACKEND` and of a `keras.json`, and leave the variable as it was.

    Returns:
        The module.

    Raises:
        ConfigError: it was imported before, on another backend.

    Example:
        >>> prepared_keras().backend.backend()
        'tensorflow'
    """
    before = os.environ.get(VARIABLE)
    early = "keras" in sys.modules
    os.environ[VARIABLE] = BACKEND
    try:
        module = import_module("keras")
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before
    if early and module.backend.backend() != BACKEND:
        raise ConfigError(
            f"Keras runs on {module.backend.backend()} here, and this project needs it on TensorFlow. "
            f"Set {VARIABLE}={BACKEND} before Keras is imported."
        )
    module.config.set_floatx("float32")
    module.config.set_image_data_format("channels_last")
    return module


keras: Any = prepared_keras()

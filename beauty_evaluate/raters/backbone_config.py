"""Which backbone, and how pixels go into it."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from beauty_evaluate.settings import Checked, within


class Preprocess(NamedTuple):
    """scale * pixel + offset for each channel, of 0..255; bgr: blue first."""

    scale: tuple[float, float, float]
    offset: tuple[float, float, float]
    bgr: bool = False


# "imagenet": PyTorch's models; "caffe": ResNet-50 and VGG of keras.applications; "vggface2": ResNet-50 and SENet-50 of
# Cao et al. (FG 2018), means of its training photos; "symmetric": -1..1, as MobileNet, Inception and ArcFace take it.
PREPROCESS: dict[str, Preprocess] = {
    "none": Preprocess((1.0,) * 3, (0.0,) * 3),
    "unit": Preprocess((1 / 255,) * 3, (0.0,) * 3),
    "symmetric": Preprocess((1 / 127.5,) * 3, (-1.0,) * 3),
    "imagenet": Preprocess((1 / 58.395, 1 / 57.12, 1 / 57.375), (-123.675 / 58.395, -116.28 / 57.12, -103.53 / 57.375)),
    "caffe": Preprocess((1.0,) * 3, (-103.939, -116.779, -123.68), bgr=True),
    "vggface2": Preprocess((1.0,) * 3, (-91.4953, -103.8827, -131.0912), bgr=True),
}


@dataclass(frozen=True)
class BackboneConfig(Checked):
    """A backbone and how pixels go into it.

    Attributes:
        source: a preset of KerasHub (`resnet_50_imagenet`), its address (`hf://user/model`), a folder in its format, a
            file of Keras (`.keras`, `.h5`) or ONNX, `efficientnet_lite0`, a network of `keras.applications`
            (`ResNet50`), or the name or card of a network of ours.
        weights: `random`: its shape alone.
        preprocess: a row of PREPROCESS; `auto`: what travels with the backbone.
        layer: of a Keras file, whose output are the features; "": the last, or the one below a softmax.
        seed: of random weights.
    """

    source: str = ""
    weights: Literal["pretrained", "random"] = "pretrained"
    preprocess: Literal["auto", "none", "unit", "symmetric", "imagenet", "caffe", "vggface2"] = "auto"
    layer: str = ""
    seed: int = within(1, 0)

"""A smaller network out of a trained one: which channels move the score least, and what is left without them."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import Config
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.images import Picture
from beauty_evaluate.raters import builders
from beauty_evaluate.raters.backend import keras, tf
from beauty_evaluate.raters.runtime import BATCH

Floats = NDArray[np.float32]
Importance = dict[str, NDArray[np.float64]]
"""Rating points by channel, of `block1` ... `block6`, `fc1`, `fc2`: what is kept or removed together."""
Kept = dict[str, NDArray[np.int64]]
"""The channels that stay, sorted, of the same groups."""

STEP = 8  # widths of blocks are multiples of it: a processor multiplies eight numbers as fast as seven
SILENT = 1e-6  # rating points: what moves scores by less is removed whatever the aim
PER_VALUE = 50  # multiplications in the time that one value of the crop or a map takes in scaling, ReLU, pool and norm
RIDGE = 0.03  # share of the inputs' mean variance; tried: .01, .03, .1, all the same to the third digit
PLACES = 48  # of a map, looked at in each crop


def importance(model: keras.Model, crops: Picture) -> Importance:
    """How much each channel of a `six_block` network moves the score, estimated for all of them in one pass.

    crops: uint8 (N, size, size, C). To first order, replacing a map by its mean changes the score by the sum over the
    map of gradient x (activation - mean) (Molchanov et al., ICLR 2017, arXiv 1611.06440). The importance is the root of
    its mean square over the crops. The convolutions of a block share their channels through the additions, so that
    their changes are summed first, as in Molchanov et al., CVPR 2019 (arXiv 1906.10771). Below SILENT it is exactly 0.
    """
    layers = {**builders.relu_layers(model), "fc1": "fc1", "fc2": "fc2"}
    probe = keras.Model(model.input, [*(model.get_layer(name).output for name in layers.values()), model.output])
    products: dict[str, list[Floats]] = {name: [] for name in layers}
    slopes: dict[str, list[Floats]] = {name: [] for name in layers}
    means: dict[str, list[Floats]] = {name: [] for name in layers}
    for start in range(0, len(crops), BATCH):
        pixels = tf.constant(crops[start : start + BATCH], tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            *maps, scores = probe(pixels, training=False)
        for name, values, slope in zip(layers, maps, tape.gradient(scores, maps), strict=True):
            places = list(range(1, len(values.shape) - 1))
            products[name].append(tf.reduce_sum(values * slope, places).numpy())
            slopes[name].append(tf.reduce_sum(slope, places).numpy())
            means[name].append(tf.reduce_mean(values, places).numpy())
    changes: dict[str, NDArray[np.float64]] = {}
    for name in layers:
        mean = np.concatenate(means[name]).mean(0, dtype=np.float64)
        change = np.concatenate(products[name]) - mean * np.concatenate(slopes[name])
        changes[_group(name)] = changes.get(_group(name), 0) + change
    effects = {group: np.sqrt((change**2).mean(0)) for group, change in changes.items()}
    return {group: np.where(values < SILENT, 0, values) for group, values in effects.items()}


def _group(layer: str) -> str:
    return layer.split("_")[0]


def cost(config: Config, widths: dict[str, int]) -> float:
    """The time of a crop in multiplications; the weights of PER_VALUE are from OpenCV's profile of the network."""
    side, inputs = config.crop.size, 1 if config.crop.grey else 3
    total = float(PER_VALUE * side * side * inputs)
    for b, count in enumerate(config.network.convolutions, 1):
        side, width = side // (config.network.first_stride if b == 1 else 2), widths[f"block{b}"]
        total += side * side * width * (9 * (inputs + (count - 1) * width) + PER_VALUE)
        inputs = width
    side //= 2
    return total + side * side * inputs * widths["fc1"] + widths["fc1"] * widths["fc2"]


def choose(effects: Importance, config: Config, speed: float) -> Kept:
    """The channels to keep for a network `speed` times as fast by `cost`; silent ones go whatever the speed.

    What moves scores least for the time it takes goes first; moves add up as squares, as if they were independent.
    Tried on this data: their sum or their cubes leave worse networks. Half of what lives stays in every group, since a
    first-order estimate says too little of larger cuts: it would leave a quarter of block 1, and scores that agree
    less with the large network's than other networks of the same speed do. ConfigError for a speed that no network
    reaches.
    """
    dear = {group: np.sort(values) ** 2 for group, values in effects.items()}
    whole = cost(config, {group: len(values) for group, values in effects.items()})
    widths = {group: max(1, int((values > 0).sum())) for group, values in effects.items()}
    least = {group: (width + 1) // 2 for group, width in widths.items()}
    while True:
        now = cost(config, widths)
        options = []
        for group, width in widths.items():
            step = STEP if group.startswith("block") else 1
            if (less := (width - 1) // step * step) >= least[group]:
                loss = dear[group][len(dear[group]) - width : len(dear[group]) - less].sum()
                options.append((loss / (now - cost(config, {**widths, group: less})), group, less))
        worth, group, less = min(options, default=(np.inf, "", 0))
        if now <= whole / speed and worth > 0:
            break
        if not options:
            raise ConfigError(f"--speed takes 1 to {whole / now:.3g} for this network, not {speed:g}.")
        widths[group] = less
    _give_back(dear, widths, config, whole / speed)
    order = {group: np.argsort(-values, kind="stable") for group, values in effects.items()}
    return {group: np.sort(order[group][:width]) for group, width in widths.items()}


def _give_back(dear: Importance, widths: dict[str, int], config: Config, most: float) -> None:
    """Widen groups again, in place, while the cost stays within `most`: the last step down may have been a large one.
    dear: the squared importance of each group's channels, sorted."""
    while True:
        options = []
        for group, width in widths.items():
            step = STEP if group.startswith("block") else 1
            more = min((width // step + 1) * step, int((dear[group] > 0).sum()))
            price = cost(config, {**widths, group: more})
            if more > width and price <= most:
                gain = dear[group][len(dear[group]) - more : len(dear[group]) - width].sum()
                options.append((gain / (price - cost(config, widths)), group, more))
        if not options:
            return
        _, group, more = max(options)
        widths[group] = more


def smaller(config: Config, kept: Kept) -> Config:
    """The recipe with the widths of what is kept."""
    blocks = tuple(len(kept[f"block{b}"]) for b in range(1, len(config.network.channels) + 1))
    return replace(
        config, network=replace(config.network, channels=blocks, hidden=(len(kept["fc1"]), len(kept["fc2"])))
    )


def cut(model: keras.Model, config: Config, kept: Kept) -> keras.Model:
    """The network of the kept channels with their weights as they are. config: of `model`.

    What removed channels gave to later layers is missing: nothing if they were 0 throughout, else see `refit`.
    """
    small = builders.build(smaller(config, kept))
    inputs = np.arange(model.input_shape[-1])
    for layer in small.layers:
        weights = model.get_layer(layer.name).get_weights()
        if not weights:
            continue
        kept_here = kept.get(_group(layer.name), np.arange(1))
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([values[kept_here] for values in weights])
            continue
        kernel, bias = weights
        if layer.name == "fc1":  # it reads the last maps place by place
            width = config.network.channels[-1]
            inputs = (np.arange(len(kernel) // width)[:, None] * width + inputs).ravel()
        layer.set_weights([kernel[..., inputs, :][..., kept_here], bias[kept_here]])
        inputs = kept_here
    return small


def refit(model: keras.Model, small: keras.Model, kept: Kept, crops: Picture) -> None:
    """Change the weights of `small`, from `cut`, layer by layer: from what the smaller network gives a layer, it shall
    answer what the layer of `model` answers.

    By ridge regression towards the weights as they are (after He et al., ICCV 2017, arXiv 1707.06168), so that a layer
    that already answers so stays as it is. The bias takes up the means of what was removed; at a map's border, where
    zeros are around it, a constant is not quite the same. crops: uint8 (N, size, size, C), the more the better.
    """
    rng = np.random.default_rng(0)
    convolutions = list(builders.relu_layers(model))[1:]  # the first sees the same in both
    large_end, small_end = model.input, small.input
    large_in: NDArray[Any] = crops
    small_in: NDArray[Any] = crops
    for name in [*convolutions, "fc1", "fc2", "score"]:
        large_layer, layer = model.get_layer(name), small.get_layer(name)
        large_in = _run(keras.Model(large_end, large_layer.input), large_in)
        small_in = _run(keras.Model(small_end, layer.input), small_in)
        large_end, small_end = large_layer.input, layer.input
        kept_here = kept.get(_group(name), np.arange(1))
        if name in convolutions:
            rows, gaps = _conv_examples(model, small, name, kept_here, large_in, small_in, rng)
        else:
            rows = small_in
            gaps = _dense(large_layer, large_in)[:, kept_here] - _dense(layer, small_in)
        kernel, bias = layer.get_weights()
        layer.set_weights(_mended(kernel, bias, rows, gaps))


def _run(part: keras.Model, inputs: NDArray[Any]) -> Floats:
    batches = range(0, len(inputs), BATCH)
    return np.concatenate([part(inputs[i : i + BATCH].astype(np.float32), training=False).numpy() for i in batches])


def _dense(layer: keras.layers.Dense, inputs: Floats) -> Floats:
    """The layer's answer before its ReLU."""
    kernel, bias = layer.get_weights()
    return np.asarray(inputs @ kernel + bias)


def _conv_examples(
    model: keras.Model,
    small: keras.Model,
    name: str,
    kept_here: NDArray[np.int64],
    large_in: Floats,
    small_in: Floats,
    rng: np.random.Generator,
) -> tuple[Floats, Floats]:
    """At some places of the maps of each crop: what the small network's kernel sees, float32 (M, 9 * inputs), and by
    how much its answer, with what is added to it, falls short of the large one's, float32 (M, filters)."""
    relu = builders.relu_layers(model)[name]
    large_part = keras.Model(model.get_layer(name).input, model.get_layer(relu).input)
    small_part = keras.Model(small.get_layer(name).input, small.get_layer(relu).input)
    rows: list[Floats] = []
    gaps: list[Floats] = []
    for start in range(0, len(small_in), BATCH):
        small_maps = tf.constant(small_in[start : start + BATCH])
        target = large_part(tf.constant(large_in[start : start + BATCH]), training=False).numpy()
        gap = target[..., kept_here] - small_part(small_maps, training=False).numpy()
        seen = tf.image.extract_patches(small_maps, [1, 3, 3, 1], [1] * 4, [1] * 4, "SAME").numpy()
        places = rng.permutation(gap.shape[1] * gap.shape[2])[:PLACES]
        for values, into in ((seen, rows), (gap, gaps)):
            into.append(values.reshape(len(values), -1, values.shape[-1])[:, places].reshape(-1, values.shape[-1]))
    return np.concatenate(rows), np.concatenate(gaps)


def _mended(kernel: Floats, bias: Floats, rows: Floats, gaps: Floats) -> list[Floats]:
    """Kernel and bias whose answers to `rows` are larger by about `gaps`."""
    middle, offset = rows.mean(0), gaps.mean(0)
    rows, gaps = rows - middle, gaps - offset
    gram = (rows.T @ rows).astype(np.float64)
    gram[np.diag_indices(len(gram))] += RIDGE * max(np.trace(gram) / len(gram), 1e-12)
    change = np.linalg.solve(gram, (rows.T @ gaps).astype(np.float64))
    return [
        np.asarray(kernel + change.reshape(kernel.shape), np.float32),
        np.asarray(bias + offset - middle @ change, np.float32),
    ]

"""How fast an epoch is: this project's training beside the same network trained the plain Keras way, in one run.

python benchmarks/training_speed.py [--photos 256] [--preset six_block]

Both see synthetic faces of the preset's crop size, on all cores. Plain: float32, `fit` on
`image_dataset_from_directory` with Keras' own augmentation layers, BatchNorm and AdamW. Ours: `Batches` and
`Learner`, as train.py uses them.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from beauty_evaluate.cli.common import import_tensorflow

import_tensorflow()

import cv2
import numpy as np
import tensorflow as tf

from beauty_evaluate.config import Config
from beauty_evaluate.datasets import synthetic
from beauty_evaluate.datasets.crops import Crops, load_crops
from beauty_evaluate.datasets.pipeline import Batches
from beauty_evaluate.presets import preset
from beauty_evaluate.raters import builders, six_block
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.training.fit import choose_precision, step_seconds
from beauty_evaluate.training.learner import Learner

EPOCHS = 4  # the first, in which graphs are built, is left out


def synthetic_crops(config: Config, n: int) -> Crops:
    """Synthetic faces as a training gets its photos; made-up landmarks, so that the second target is there too."""
    pad = round(config.crop.size * config.augment.pad)
    crops = load_crops(list(synthetic.draw(n).samples.values()), config.crop, pad)
    marks = np.random.default_rng(0).uniform(0.2, 0.8, (n, 86, 2)).astype(np.float32)
    return replace(crops, landmarks=marks)


def ours(config: Config, crops: Crops, precision: str) -> tuple[float, float]:
    """Images a second of whole epochs, and the share of them that is the step."""
    plan = config.training
    batches = Batches(crops, config.augment, plan.batch_size, plan.seed)
    learner = Learner(config, batches, precision)
    times = []
    for epoch in range(EPOCHS):
        start = time.perf_counter()
        learner.epoch(epoch)
        times.append(time.perf_counter() - start)
    ready = list(batches.epoch(0))
    steps = []
    for _ in range(EPOCHS - 1):
        start = time.perf_counter()
        for b in ready:
            learner.step(*b, tf.constant(0.9))
        steps.append(time.perf_counter() - start)
    whole = float(np.median(times[1:]))
    return batches.pictures / whole, float(np.median(steps)) / whole


def plain(config: Config, crops: Crops, folder: Path) -> float:
    """Images a second of the plain Keras way."""
    for i, pixels in enumerate(crops.centre):
        cv2.imwrite(str(folder / f"{i:05d}.png"), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    size, change, plan = config.crop.size, config.augment, config.training
    pictures = keras.utils.image_dataset_from_directory(
        folder, labels=None, image_size=(size, size), batch_size=plan.batch_size, shuffle=False, verbose=False
    )
    scores = tf.data.Dataset.from_tensor_slices(crops.scores).batch(plan.batch_size)
    layers = [
        keras.layers.RandomFlip("horizontal"),
        keras.layers.RandomRotation(change.rotation / 360, fill_mode="nearest"),
        keras.layers.RandomZoom(change.scale, fill_mode="nearest"),
        keras.layers.RandomTranslation(change.shift, change.shift, fill_mode="nearest"),
        keras.layers.RandomBrightness(change.brightness),
        keras.layers.RandomContrast(change.contrast),
    ]
    augment = keras.Sequential(layers)
    data = tf.data.Dataset.zip(pictures.map(lambda x: augment(x, training=True), 2), scores).prefetch(2)
    fused, six_block.BatchNorm = six_block.BatchNorm, keras.layers.BatchNormalization  # type: ignore[misc, assignment]
    model = builders.build(config, 3.0)
    six_block.BatchNorm = fused  # type: ignore[misc]
    model.compile(keras.optimizers.AdamW(plan.learning_rate), "mse")
    times = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            self.start = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            times.append(time.perf_counter() - self.start)

    model.fit(data, epochs=EPOCHS, verbose=0, callbacks=[Clock()])
    return len(crops.names) / float(np.median(times[1:]))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, default=256)
    parser.add_argument("--preset", default="six_block")
    options = parser.parse_args()
    config = preset(options.preset)
    crops = synthetic_crops(config, options.photos)
    batches = Batches(crops, config.augment, config.training.batch_size, config.training.seed)
    precision = choose_precision(config, 10**6, lambda name: step_seconds(config, batches, name), print)
    fast, share = ours(config, crops, precision)
    print(f"this project ({precision}): {fast:.1f} images/s, the step is {share:.0%} of an epoch")
    with tempfile.TemporaryDirectory() as folder:
        slow = plain(config, crops, Path(folder))
    print(f"plain Keras (float32): {slow:.1f} images/s; ratio {fast / slow:.2f}")


if __name__ == "__main__":
    main()

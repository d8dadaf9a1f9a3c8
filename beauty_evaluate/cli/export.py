"""Write a trained network as an ONNX file for other programs, checked against Keras."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from beauty_evaluate.cli.common import add_weights, import_tensorflow, start
from beauty_evaluate.errors import UserError

N_CHECKED = 16  # random pictures that both networks must score alike


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=Path("exported"), metavar="DIR", help="default: %(default)s")
    add_weights(parser)


def _run(options: argparse.Namespace) -> int:
    from beauty_evaluate.raters import card as cards  # needs NumPy, which --help does not

    card = cards.load(options.weights)
    if os.path.realpath(options.out) == os.path.realpath(card.folder):
        raise UserError(f"Expected another folder for what is exported. Received: {options.out}, where the card lies.")
    import_tensorflow()
    import numpy as np

    from beauty_evaluate.raters import registry
    from beauty_evaluate.training.export import TOLERANCE, write_network

    crops = np.random.default_rng(0).integers(0, 256, (N_CHECKED, *card.input["shape"]), np.uint8)
    path = write_network(registry.load(card), crops, options.out, card.name, card.config.flip_tta)
    shape = ", ".join(map(str, card.input["shape"]))
    print(
        f"{path}: float32 crops (N, {shape}) of 0..255 in, ratings (N, 1) out; as Keras to {TOLERANCE} on {N_CHECKED} "
        f"random pictures.{' A score is the mean over a crop and its mirror image.' * card.config.flip_tta}"
    )
    return 0

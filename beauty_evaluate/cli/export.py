"""Write a trained network as an ONNX file for other programs, checked against Keras."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from beauty_evaluate.cli.common import add_weights, import_tensorflow, start


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=Path("exported"), metavar="DIR", help="default: %(default)s")
    add_weights(parser)


def _run(options: argparse.Namespace) -> int:
    from beauty_evaluate.raters import registry  # needs NumPy, which --help does not

    rater = registry.load(options.weights)
    import_tensorflow()
    from beauty_evaluate.training.export import N_RANDOM, TOLERANCE, export

    exported = export(rater, options.out)
    shape = ", ".join(map(str, exported.shape))
    average = " A score is the mean over a crop and its mirror image." if exported.needs_mirror else ""
    print(
        f"{exported.path}: float32 crops (N, {shape}) of 0..255 in, ratings (N, 1) out; as Keras to {TOLERANCE} on "
        f"{N_RANDOM} random pictures.{average}"
    )
    return 0

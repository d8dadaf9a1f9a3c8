"""Write a rater as a folder to hand on, or a network as an ONNX file for other programs, checked against Keras."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from beauty_evaluate.cli.common import add_weights, import_tensorflow, start
from beauty_evaluate.errors import UserError


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, default=Path("exported"), metavar="DIR", help="default: %(default)s")
    parser.add_argument(
        "--rater", metavar="NAME", help="write a folder with all that this rater needs: a name in weights/ or a card"
    )
    add_weights(parser)


def _run(options: argparse.Namespace) -> int:
    from beauty_evaluate.raters import registry  # needs NumPy, which --help does not

    if options.rater:
        if options.weights:
            raise UserError("--rater writes a folder, --weights an ONNX file. Leave one out.")
        return _deploy(options)
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


def _deploy(options: argparse.Namespace) -> int:
    from beauty_evaluate.raters import deploy, registry

    deployed = deploy.deploy(registry.load_card(options.rater), options.out)
    print(
        f"{deployed.folder}: {deployed.card.name}, {deployed.bytes / 1e6:.1f} MB in {len(deployed.files)} files. "
        f"Try it: python3 use.py PHOTO --weights {deployed.folder}"
    )
    return 0

"""Show the filters of the network and its feature maps for a photo."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from beauty_evaluate.cli.common import add_weights, import_tensorflow, start


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", help="a photo with a face")
    parser.add_argument("--out", type=Path, default=Path("inside"), metavar="DIR", help="default: %(default)s")
    parser.add_argument("--face", type=int, metavar="N", help="which face, from the left (default: the largest)")
    parser.add_argument("--layer", metavar="NAME", help="only this layer, large: block1_conv1 ... block6_conv2")
    add_weights(parser)


def _run(options: argparse.Namespace) -> int:
    import_tensorflow()
    from beauty_evaluate.explain.inside import look_inside
    from beauty_evaluate.models import card

    look_inside(card.load(options.weights), options.path, options.out, options.face, options.layer, print)
    return 0

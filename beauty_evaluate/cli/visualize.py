"""Show what moved the score of a face, the filters of the network and their answers."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from beauty_evaluate.cli.common import Counter, add_weights, import_tensorflow, start
from beauty_evaluate.errors import UserError


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", help="a photo with a face")
    parser.add_argument("--out", type=Path, default=Path("inside"), metavar="DIR", help="default: %(default)s")
    parser.add_argument("--face", type=int, metavar="N", help="which face, from the left (default: the largest)")
    parser.add_argument("--quick", action="store_true", help="only which regions moved the score")
    parser.add_argument(
        "--layer", metavar="NAME", help="only the maps of this layer, large: block1_conv1 ... block6_conv2"
    )
    add_weights(parser)


def _run(options: argparse.Namespace) -> int:
    if options.layer and options.quick:
        raise UserError("Expected one of --layer and --quick. Received: both.")
    if not options.quick:
        import_tensorflow()
    from beauty_evaluate.explain.report import choose_crop, report
    from beauty_evaluate.models import card as cards

    card = cards.load(options.weights)
    if not options.layer:
        report(card, options.path, options.out, options.face, options.quick, print, Counter("explaining"))
        return 0
    from beauty_evaluate.explain.inside import write_layer

    crop = choose_crop(options.path, card, options.face)
    options.out.mkdir(parents=True, exist_ok=True)
    print(f"{options.layer}: {write_layer(card, crop, options.layer, options.out)}")
    return 0

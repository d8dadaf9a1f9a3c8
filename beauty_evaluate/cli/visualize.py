"""Show what moved the score of a face, the filters of the network and their answers."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from beauty_evaluate.cli.common import Counter, add_into, add_weights, import_tensorflow, start
from beauty_evaluate.errors import UserError

if TYPE_CHECKING:  # imported when a command runs
    from beauty_evaluate.images import Picture
    from beauty_evaluate.raters.card import Card


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", nargs="?", help="a photo with a face")
    parser.add_argument(
        "--data", type=Path, metavar="DIR",
        help="SCUT-FBP5500: without PATH tables over its 60/40 test part; with it, its faces stand in for regions",
    )  # fmt: skip
    parser.add_argument("--n", type=int, default=200, help="with --data: photos, some 20 s each (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("inside"), metavar="DIR", help="default: %(default)s")
    parser.add_argument("--face", type=int, metavar="N", help="which face, from the left (default: the largest)")
    parser.add_argument("--quick", action="store_true", help="only which regions moved the score")
    parser.add_argument(
        "--layer", metavar="NAME",
        help="only the maps of this layer, large: block1_conv1 ... block6_conv2; with --data: whose filters are shown",
    )  # fmt: skip
    add_into(parser)
    add_weights(parser)


def _run(options: argparse.Namespace) -> int:
    if options.layer and options.quick:
        raise UserError("Expected one of --layer and --quick. Received: both.")
    if not (options.path or options.data):
        raise UserError("Expected a photo, or --data DIR. Received: neither.")
    if options.n < 3:
        raise UserError(f"Expected --n of at least 3. Received: {options.n}.")
    if options.path and options.into:
        raise UserError("Expected --into with --data alone. Received: one photo.")
    if not options.path and (options.face or options.quick):
        raise UserError("Expected --data alone without --face and --quick. Received: a flag for one photo.")
    if not options.path:
        return _data_set(options)
    from beauty_evaluate.raters import card as cards
    from beauty_evaluate.reporting.face_report import choose_face, report

    card = cards.load(options.weights)
    face = choose_face(options.path, card, options.face)  # now, since TensorFlow takes seconds to load
    if not options.quick:
        import_tensorflow()
    options.out.mkdir(parents=True, exist_ok=True)
    if not options.layer:
        others = _other_faces(options.data, card, options.path) if options.data else ()
        name = Path(options.path).name
        report(card, face, name, options.out, options.quick, print, Counter("explaining"), others)
        return 0
    from beauty_evaluate.reporting.internals import write_layer

    print(f"{options.layer}: {write_layer(card, face.crop, options.layer, options.out)}")
    return 0


def _other_faces(folder: Path, card: "Card", path: str) -> "Sequence[Picture]":
    """Crops of a few faces of the data set but for the photo at `path`, drawn by lot."""
    from beauty_evaluate.datasets import registry
    from beauty_evaluate.datasets.pipeline import load_crops
    from beauty_evaluate.explain.data_set import OTHERS, chosen

    own = Path(path).resolve()
    samples = [
        sample for sample in registry.read(folder).samples.values() if sample.path and sample.path.resolve() != own
    ]
    return list(load_crops(chosen(samples, OTHERS), card.config.crop).centre)


def _data_set(options: argparse.Namespace) -> int:
    import_tensorflow()
    from beauty_evaluate.datasets import registry
    from beauty_evaluate.evaluation.evaluate import assert_no_leakage
    from beauty_evaluate.explain.data_set import chosen, explain_data_set
    from beauty_evaluate.raters import card as cards

    card = cards.load(options.weights or cards.DEFAULTS[1])
    data = registry.read(options.data)
    names = data.split().test
    assert_no_leakage(card, names)
    cards.same_recipe(options.into, card)  # now, not after an hour
    samples = chosen([data.samples[name] for name in names], options.n)
    text, agreed = explain_data_set(card, samples, options.layer, options.out, Counter("explaining"))
    print(text)
    cards.explain(options.into, card, ways=asdict(agreed))
    return 0

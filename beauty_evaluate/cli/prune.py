"""Make a smaller, faster network out of a trained one: remove the channels that move its scores least."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from beauty_evaluate.cli.common import Counter, add_weights, import_tensorflow, start
from beauty_evaluate.raters import card as cards


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="SCUT-FBP5500 as released, unless the network knows drawn faces"
    )
    parser.add_argument(
        "--speed", type=float, default=1.5, metavar="TIMES",
        help="how many times as fast it shall be; 1: remove what is silent alone (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the result (default: runs/NAME_pruned)")
    add_weights(parser)


def _run(options: argparse.Namespace) -> int:
    card = cards.load(options.weights or (cards.DEFAULTS[1] if options.data else None))
    import_tensorflow()
    from beauty_evaluate.training.prune_job import PruneJob, run

    words = [f"--data {card.data}"] if options.data else []
    command = " ".join(["python3 -m beauty_evaluate prune --weights", card.name, *words, f"--speed {options.speed:g}"])
    out = options.out or Path("runs") / f"{card.name}_pruned"
    smaller = run(PruneJob(card, options.data, out, options.speed, command), _say, Counter("reading photos"))
    print(f"weights: {out / smaller.name}.json")
    return 0


def _say(line: str) -> None:
    print(line, flush=True)

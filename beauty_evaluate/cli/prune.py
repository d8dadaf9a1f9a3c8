"""Make a smaller, faster network out of a trained one: remove the channels that move its scores least."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from beauty_evaluate.cli.common import Counter, add_weights, import_tensorflow, start
from beauty_evaluate.errors import ConfigError


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="the photos it has learnt from, unless they are synthetic faces"
    )
    parser.add_argument(
        "--speed", type=float, default=1.5, metavar="TIMES",
        help="how many times as fast it shall be; 1: remove only what is silent (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the result (default: runs/NAME_pruned)")
    add_weights(parser)


def _run(options: argparse.Namespace) -> int:
    from beauty_evaluate.datasets import registry as datasets  # need NumPy, which --help does not
    from beauty_evaluate.raters import registry

    card = registry.load_card(options.weights or registry.EVALUATED)
    if options.data is None and card.of_people:
        raise ConfigError(f"{card.name} has learnt from {card.data}. Name the folder of its photos with --data.")
    data = datasets.read(options.data) if options.data else datasets.synthetic()
    import_tensorflow()
    from beauty_evaluate.reporting.training_report import pruning_text, write_pruning_report
    from beauty_evaluate.training.prune_job import PruneJob, run

    data_flag = [f"--data {data.title}"] if options.data else []
    command = " ".join(
        ["python3 -m beauty_evaluate prune --weights", card.name, *data_flag, f"--speed {options.speed:g}"]
    )
    out = options.out or Path("runs") / f"{card.name}_pruned"
    job = PruneJob(registry.of_card(card), data, out, options.speed, command)
    done = run(job, _say, Counter("reading photos"))
    _say(f"{pruning_text(done)}\nreport: {write_pruning_report(done)}\nweights: {done.card.path}")
    return 0


def _say(line: str) -> None:
    print(line, flush=True)

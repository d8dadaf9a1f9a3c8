"""Train a network: without --data on drawn faces, in about a minute."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from beauty_evaluate.cli.common import Counter, import_tensorflow, start
from beauty_evaluate.config import PRESETS, preset
from beauty_evaluate.data import scut, splits
from beauty_evaluate.errors import ConfigError


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="SCUT-FBP5500 as released (default: drawn faces)")
    parser.add_argument("--split", choices=splits.NAMES, default="60-40", help="official split (default: %(default)s)")
    parser.add_argument(
        "--preset", choices=sorted(PRESETS), help="the recipe (default: six_block with --data, drawn without)"
    )
    parser.add_argument("--epochs", type=int, metavar="N", help="passes over the photos (default: 40)")
    parser.add_argument("--seed", type=int, metavar="N", help="of weights, order and augmentation (default: 1)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the run (default: runs/PRESET_SPLIT)")
    parser.add_argument("--val", action="store_true", help="hold back and look at a tenth of the training photos")
    parser.add_argument("--resume", action="store_true", help="go on from the last finished epoch in --out")


def _run(options: argparse.Namespace) -> int:
    name = options.preset or ("six_block" if options.data else "drawn")
    config = preset(name)
    for key in ("epochs", "seed"):
        value = getattr(options, key)
        if value is not None:
            if value < (1 if key == "epochs" else 0):
                raise ConfigError(f"Expected --{key} of at least {1 if key == 'epochs' else 0}. Received: {value}.")
            config = replace(config, training=replace(config.training, **{key: value}))
    split = (options.split if options.data else "drawn") + ("-val" if options.val else "")
    out = options.out or Path("runs") / f"{name}_{split}"
    import_tensorflow()
    from beauty_evaluate.training.job import Job, train

    job = Job(config, options.data, options.split, out, options.val, options.resume, _command(options))
    train(job, _say, Counter("reading photos"))
    return 0


def _command(options: argparse.Namespace) -> str:
    """The line that trains this again, for the card: without paths of this machine."""
    words = ["python3 train.py"]
    words += [f"--data {scut.TITLE} --split {options.split}"] if options.data else []
    words += [
        f"--{key} {value}" for key in ("preset", "epochs", "seed") if (value := getattr(options, key)) is not None
    ]
    return " ".join([*words, "--val"] if options.val else words)


def _say(line: str) -> None:
    print(line, flush=True)

"""Train a network: without --data on drawn faces, in about a minute."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from beauty_evaluate.cli.common import Counter, import_tensorflow, start
from beauty_evaluate.config import PRESETS, preset
from beauty_evaluate.datasets import scut, splits
from beauty_evaluate.errors import ConfigError

CV = "cv"


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="SCUT-FBP5500 as released (default: drawn faces)")
    parser.add_argument("--split", choices=(scut.DEFAULT_SPLIT, *scut.FOLDS, splits.ALL, CV), default="60-40",
                        help="official split, or cv for its five folds (default: %(default)s)")  # fmt: skip
    parser.add_argument(
        "--preset", choices=sorted(PRESETS), help="the recipe (default: six_block with --data, drawn without)"
    )
    parser.add_argument("--epochs", type=int, metavar="N", help="passes over the photos (default: 40)")
    parser.add_argument("--seed", type=int, metavar="N", help="of weights, order and augmentation (default: 1)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of the run (default: runs/PRESET_SPLIT)")
    parser.add_argument("--val", action="store_true", help="hold back and look at a tenth of the training photos")
    parser.add_argument("--resume", action="store_true", help="go on from the last finished epoch in --out")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="with cv: where each fold's card and predictions stay (default: --out)"
    )
    parser.add_argument(
        "--lanes", type=int, default=1, metavar="N", help="with cv: folds trained at once, each on its own cores"
    )


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
    _check_cv(options)
    import_tensorflow()
    from beauty_evaluate.training.crossval import cross_validate
    from beauty_evaluate.training.job import Job, train

    job = Job(config, options.data, options.split, out, options.val, options.resume, _command(options))
    if options.split == CV:
        cross_validate(job, options.keep or out, options.lanes, _say)
    else:
        train(job, _say, Counter("reading photos"))
    return 0


def _check_cv(options: argparse.Namespace) -> None:
    if options.split == CV and (not options.data or options.val or options.resume):
        raise ConfigError("Expected --split cv with --data, without --val and --resume: it goes on by itself.")
    if options.split != CV and (options.keep or options.lanes != 1):
        raise ConfigError("Expected --keep and --lanes with --split cv alone. Received: another split.")
    if options.lanes < 1:
        raise ConfigError(f"Expected --lanes of at least 1. Received: {options.lanes}.")


def _command(options: argparse.Namespace) -> str:
    """The line that trains this again, for the card: without paths of this machine."""
    words = ["python3 train.py"]
    split = "{}" if options.split == CV else options.split  # a fold's name comes in when it is trained
    words += [f"--data {scut.TITLE} --split {split}"] if options.data else []
    words += [
        f"--{key} {value}" for key in ("preset", "epochs", "seed") if (value := getattr(options, key)) is not None
    ]
    return " ".join([*words, "--val"] if options.val else words)


def _say(line: str) -> None:
    print(line, flush=True)

"""Train a network: without --data on synthetic faces, in about a minute."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from beauty_evaluate.cli.common import Counter, import_tensorflow, start
from beauty_evaluate.config import ROOT, Config, RaterConfig
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.presets import PRESETS, preset
from beauty_evaluate.settings import with_settings

if TYPE_CHECKING:
    from beauty_evaluate.datasets.dataset import DataSet
    from beauty_evaluate.raters.card import Card
    from beauty_evaluate.training.job import TrainingRun

CV = "cv"
EPILOG = """
With some hundred photos or fewer, go on from given weights: --from six_block_60-40.
A held-out curve stands in the report without a flag where no published figure rests on the photos: of your own photos
and of synthetic faces, a few training photos (one in 50, at least 5, if there are 25 or more) are held back for it, and
--set training.curve_photos=0 learns from all. Of an official split every photo is learnt from; --val draws it there.
"""
SHORT = ("epochs", "learning_rate", "batch_size", "seed")  # settings of a training with a flag of their own


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EPILOG
    add = parser.add_argument
    add("--data", type=Path, metavar="DIR", action="append", default=[],
        help="a data set's folder; again for each further one, whose scores are mapped onto the first one's scale "
        "(default: synthetic faces)")  # fmt: skip
    add("--split", metavar="NAME", action="append", default=[],
        help="split of the first --data, or once for each; cv: all its official folds (default: own)")  # fmt: skip
    add("--scale", type=float, nargs=2, metavar=("LOW", "HIGH"), help="of the scores in a table of your own")
    add("--preset", metavar="NAME", help=f"the recipe, such as {', '.join(PRESETS)} or that of a rival "
        "(default: six_block with --data, synthetic without)")  # fmt: skip
    add("--from", dest="start", metavar="NAME", help="go on from these weights: a name in weights/ or a card's path")
    add("--set", dest="settings", metavar="SECTION.KEY=VALUE", action="append", default=[],
        help="change any setting of the recipe, for instance augment.mixup=0; may be given again")  # fmt: skip
    add("--backbone", metavar="NAME", help="of a preset that starts from another network: a preset of KerasHub, an "
        "hf:// address, a folder, a file of Keras or ONNX, or weights of ours")  # fmt: skip
    add("--epochs", type=int, metavar="N", help="passes over the photos (default: 40)")
    add("--learning-rate", type=float, metavar="RATE", help="the highest (default: the recipe's)")
    add("--batch-size", type=int, metavar="N", help="photos a step (default: the recipe's)")
    add("--seed", type=int, metavar="N", help="of weights, order and augmentation (default: 1)")
    add("--out", type=Path, metavar="DIR", help="folder of the run (default: runs/PRESET_SPLIT)")
    add("--val", action="store_true", help="hold back a tenth of the training photos, and look at it in place of "
        "the test part")  # fmt: skip
    add("--resume", action="store_true", help="go on from the last finished epoch in --out")
    add("--keep", type=Path, metavar="DIR", help="with cv: where cards and predictions stay (default: --out)")
    add("--lanes", type=int, default=1, metavar="N", help="with cv: folds trained at once, each on its own cores")


def _run(options: argparse.Namespace) -> int:
    _check_cv(options)
    card = _card(options.start)
    config = _config(options, card)
    data = _read(options)
    splits = _splits(options, data)
    out = options.out or _out(config, data, splits, options)
    import_tensorflow()
    from beauty_evaluate.training.crossval import cross_validate
    from beauty_evaluate.training.families import train_rater
    from beauty_evaluate.training.job import Job

    command = _command(options, data)
    job = Job(config, data, out, splits, options.val, options.resume, command, card)
    if options.split == [CV]:
        for run in cross_validate(replace(job, splits=()), options.keep or out, options.lanes, _say):
            _finish(run)
        return 0
    _finish(train_rater(job, _say, Counter("reading photos")))
    return 0


def _card(name: str | None) -> "Card | None":
    """The card of `--from`."""
    from beauty_evaluate.raters import registry  # needs NumPy, which --help does not

    return None if name is None else registry.load_card(name)


def _config(options: argparse.Namespace, card: "Card | None") -> RaterConfig:
    """The recipe with all that was changed on the command line."""
    name = options.preset or ("six_block" if options.data else "synthetic")
    config: RaterConfig
    if card and not options.preset and isinstance(card.config, Config):
        config = card.config
    elif name in PRESETS:
        config = preset(name)
    else:
        import_tensorflow()
        from beauty_evaluate.training.families import recipe

        config = recipe(name)
    changes = [f"training.{key}={value}" for key in SHORT if (value := getattr(options, key)) is not None]
    if options.backbone:
        changes.append(f"{_backbone_key(config)}={options.backbone}")
    return with_settings(config, [*options.settings, *changes])


def _backbone_key(config: RaterConfig) -> str:
    """The setting that names the network which a recipe starts from. Raises ConfigError where it starts from none."""
    if hasattr(config, "embedding"):
        return "embedding.backbone.source"
    if not hasattr(config, "backbone"):
        raise ConfigError(f"The preset {config.preset} starts from no other network. Leave out --backbone.")
    return "backbone" if isinstance(config.backbone, str) else "backbone.source"


def _read(options: argparse.Namespace) -> "tuple[DataSet, ...]":
    """The data sets; synthetic faces without --data."""
    from beauty_evaluate.config import RatingScale
    from beauty_evaluate.datasets import registry

    scale = RatingScale(*options.scale) if options.scale else None
    data: tuple[DataSet, ...] = tuple(registry.read(folder, scale) for folder in options.data)
    if not data:
        data = (registry.synthetic(),)
        _say(f"no --data: drawing {len(data[0].samples)} faces whose score follows a known rule")
    for one in data:
        if one.scale_inferred:
            _say(f"{one.title}: its scores look like a scale of {one.scale}; if it is another, say --scale LOW HIGH")
    return data


def _splits(options: argparse.Namespace, data: "tuple[DataSet, ...]") -> tuple[str | None, ...]:
    """The split of each data set by name; those that were not named take their own."""
    if len(options.split) > len(data):
        raise ConfigError(f"--split was given {len(options.split)} times for {len(data)} data sets. Name one for each.")
    names = [None if name == CV else name for name in options.split]
    return (*names, *(None for _ in data[len(names) :]))


def _out(
    config: RaterConfig, data: "tuple[DataSet, ...]", splits: tuple[str | None, ...], options: argparse.Namespace
) -> Path:
    """runs/PRESET_SPLIT."""
    if options.split == [CV]:
        return Path("runs") / f"{config.preset}_{CV}"
    from beauty_evaluate.datasets.mixture import run_name, split_label

    label = split_label(data, [one.split(name, training=True).name for one, name in zip(data, splits, strict=True)])
    return Path("runs") / run_name(config.preset, label + "-val" * options.val)


def _finish(run: "TrainingRun") -> None:
    """Write the report, and print results and what to type next."""
    from beauty_evaluate.reporting.training_report import results_text, write_training_report

    door = "python3 use.py" if (ROOT / "use.py").is_file() else "python3 -m beauty_evaluate score"
    command = f"{door} PHOTO --weights {run.card.path}"
    _, page = write_training_report(run, command)
    _say(f"\n{results_text(run)}\n\nreport: {page}\nnext: {command}")


def _check_cv(options: argparse.Namespace) -> None:
    if CV in options.split and (not options.data or len(options.split) != 1 or options.val or options.resume):
        raise ConfigError("--split cv takes --data, and neither --val, --resume nor another --split.")
    if CV in options.split and options.start:
        raise ConfigError("--split cv begins with random weights. Leave out --from.")
    if CV not in options.split and (options.keep or options.lanes != 1):
        raise ConfigError("--keep and --lanes are for --split cv. Leave them out.")
    if options.lanes < 1:
        raise ConfigError(f"--lanes takes 1 or more, not {options.lanes}.")


def _command(options: argparse.Namespace, data: "tuple[DataSet, ...]") -> str:
    """The line that trains this again, for the card: without paths of this machine."""
    parts = ["python3 train.py"]
    for i, one in enumerate(data if options.data else ()):
        parts.append(f"--data {one.title}")
        if i < len(options.split):
            # a fold's name comes in when it is trained
            parts.append("--split {}" if options.split[i] == CV else f"--split {options.split[i]}")
    if options.scale:
        parts.append("--scale {:g} {:g}".format(*options.scale))
    parts += [f"--from {Path(options.start).stem}"] if options.start else []
    for key in ("preset", *SHORT):
        if (value := getattr(options, key)) is not None:
            parts.append(f"--{key.replace('_', '-')} {value}")
    parts += [f"--backbone {Path(options.backbone).name}"] if options.backbone else []
    parts += [f"--set {setting}" for setting in options.settings]
    return " ".join([*parts, "--val"] if options.val else parts)


def _say(line: str) -> None:
    print(line, flush=True)

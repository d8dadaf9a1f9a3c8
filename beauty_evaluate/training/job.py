"""One whole training: read, learn, write what travels, look at the test part once."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from beauty_evaluate.config import Config, RaterConfig, ScaleMap
from beauty_evaluate.datasets.crops import Crops, load_crops
from beauty_evaluate.datasets.dataset import DataSet
from beauty_evaluate.datasets.mixture import Mixture, mix
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.evaluation.evaluate import Evaluation
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.backend import keras
from beauty_evaluate.raters.card import Card, TrainedOn
from beauty_evaluate.raters.statistics import feature_statistics, filter_statistics
from beauty_evaluate.training.checkpoint import Checkpoint, Progress
from beauty_evaluate.training.export import input_of, versions, write_card, write_network
from beauty_evaluate.training.fit import Say, fit
from beauty_evaluate.training.held_out import for_curve
from beauty_evaluate.training.provenance import card_name, head_commit, learnt_from, utc_now
from beauty_evaluate.training.start import check_shape, learnt_before, scale_change, start_from
from beauty_evaluate.training.test_part import evaluate_on_test

N_CHECKED = 64  # crops on which the exported network is compared with Keras
N_PROBED = 500  # crops over which filters are measured


@dataclass(frozen=True)
class Job:
    """What to train.

    Attributes:
        config: the recipe.
        data: the data sets; the ratings get the first one's scale.
        out: folder of the run.
        splits: of each data set, None: its own for training; empty: None for all.
        validate: a tenth of the training part is held back and looked at in place of the test part.
        resume: go on from the checkpoint in `out`.
        command: the line that started it, for the card.
        start: card of the weights to begin with; None: random ones.
    """

    config: RaterConfig
    data: tuple[DataSet, ...]
    out: Path
    splits: tuple[str | None, ...] = ()
    validate: bool = False
    resume: bool = False
    command: str = ""
    start: Card | None = None

    @property
    def network(self) -> Config:
        """The recipe of a network; ConfigError for one of another family."""
        if not isinstance(self.config, Config):
            raise ConfigError(f"The preset {self.config.preset} is no network, which this needs. Name one.")
        return self.config


@dataclass(frozen=True)
class TrainingRun:
    """What a training left; the weights lie in `card.folder`.

    Attributes:
        card: of the rater.
        history: of each epoch.
        evaluations: of each test part, by the title of its data set in the mixture; empty if there is none.
        problems: what was wrong with photos and labels, a line each.
        out: folder of the run.
        held_out: photos behind the held-out curve; 0: there is none.
    """

    card: Card
    history: tuple[Progress, ...]
    evaluations: dict[str, Evaluation] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    out: Path = Path()
    held_out: int = 0


def _silent(line: str) -> None:
    """Say nothing."""


def train(job: Job, say: Say = _silent, progress: Callable[[int, int], None] | None = None) -> TrainingRun:
    """Run a training to its end.

    Under `job.out` it writes `weights/` with card and artifacts, `checkpoint.npz` after each epoch, the predictions of
    test photos (no labels), and `looks.jsonl`, a line for each look at a test part. Of one's own photos on the seeded
    split, and of synthetic faces, a few are held back for the held-out curve: see `held_out.for_curve`.

    Args:
        job: what to train.
        say: called with lines for a person.
        progress: called with the photos read and all.

    Raises:
        UserError: a mistake that the user can mend.

    Example:
        >>> import tempfile
        >>> from beauty_evaluate.presets import preset
        >>> from beauty_evaluate.settings import with_settings
        >>> from beauty_evaluate.datasets import synthetic
        >>> config = with_settings(preset("synthetic"), ["training.epochs=1"])
        >>> run = train(Job(config, (synthetic.draw(20),), Path(tempfile.mkdtemp(), "run")))
        >>> run.card.name, run.card.metrics["synthetic faces"]["all"]["n"]
        ('synthetic', 4)
    """
    config = job.network
    _check(job)
    mixture, watched = divided(job, config.training.curve_photos)
    crop = config.crop
    pad = round(crop.size * config.augment.pad)
    for part in mixture.parts:
        say(f"reading {len(part.split.train)} photos of {part.title}, split {part.split.name}")
    crops = load_crops(mixture.train, crop, pad, progress, person=config.augment.background > 0)
    validation = load_crops(watched.train, crop, pad) if watched else None
    loaded = [crops.problems, *([validation.problems] if validation else [])]
    problems = [str(problem) for part in (*(data.problems for data in job.data), *loaded) for problem in part]
    for problem in problems:
        say(f"problem: {problem}")
    job.out.mkdir(parents=True, exist_ok=True)
    trained_on = tuple(learnt_from(mixture, part, crops.names) for part in mixture.parts)
    change = scale_change(job.start, mixture.scale, trained_on[0].labels) if job.start else ScaleMap()
    start = start_from(job.start, change) if job.start else None
    model, run = fit(
        config, crops, job.out, validation, job.resume, head_commit(), start, lambda p: say(line_of(p)), say
    )
    if job.start:
        trained_on += learnt_before(job.start, change)
    card = _card(job, mixture, trained_on, model, run, start.name if start else "")
    card = write_network(model, crops.centre[:N_CHECKED], card)
    card = write_card(card, _stats(model, crops, mixture))
    evaluations = evaluate_on_test(registry.of_card(card), mixture, job.out)
    card = replace(card, metrics={title: evaluation.metrics() for title, evaluation in evaluations.items()})
    cards.write(card)
    held_out = len(validation.names) if validation else 0
    return TrainingRun(card, tuple(run.history), evaluations, tuple(problems), job.out, held_out)


def _check(job: Job) -> None:
    """What can be told before a photo is read. Raises ConfigError."""
    if not job.resume and Checkpoint.path(job.out).exists():
        raise ConfigError(f"{job.out} holds a run already. Add --resume or change --out.")
    if job.out.exists() and not job.out.is_dir():
        raise ConfigError(f"{job.out} is a file. Name a folder for the run.")
    if job.network.crop.geometry != "aligned" and not all(data.people for data in job.data):
        raise ConfigError(f"The preset {job.config.preset} learns from whole photos. Name some with --data.")
    if job.start:
        check_shape(job.network, job.start)


def divided(job: Job, curve_photos: int = 0) -> tuple[Mixture, Mixture | None]:
    """What to learn from with its test part, and photos for the held-out curve, as a training part."""
    mixture = mix(job.data, job.splits or None)
    if not job.validate:
        return for_curve(mixture, curve_photos)
    mixture = mixture.holdout()
    watched = [replace(part, split=replace(part.split, train=part.split.test, test=())) for part in mixture.parts]
    return mixture, Mixture(tuple(watched))


def line_of(progress: Progress) -> str:
    """A line on an epoch for a person.

    Example:
        >>> line_of(Progress(1, 3, 0.5, 60, 100))
        'epoch 1/3: loss 0.5000, 100 images/s, 0:02:00 left'
    """
    left = timedelta(seconds=round((progress.epochs - progress.epoch) * progress.seconds))
    line = f"epoch {progress.epoch}/{progress.epochs}: loss {progress.loss:.4f}, "
    line += f"{progress.images_per_second:.0f} images/s, {left} left"
    if progress.validation:
        line += "; held out: PC {pearson:.4f}, MAE {mae:.4f}, RMSE {rmse:.4f}".format(**progress.validation)
    return line


def _card(
    job: Job,
    mixture: Mixture,
    trained_on: tuple[TrainedOn, ...],
    model: keras.Model,
    run: Checkpoint,
    started_from: str,
) -> Card:
    """The card but for figures and artifacts."""
    return Card(
        name=card_name(job.config.preset, mixture),
        config=job.config,
        scale=mixture.scale,
        trained_on=trained_on,
        precision=run.precision,
        command=job.command,
        commit=run.commit,
        made=utc_now(),
        parameters=model.count_params(),
        seconds=round(sum(p.seconds for p in run.history), 1),
        images_per_second=round(float(np.median([p.images_per_second for p in run.history])), 1),
        started_from=started_from,
        input=input_of(job.network),
        versions=versions(),
        folder=job.out / "weights",
    )


def _stats(model: keras.Model, crops: Crops, mixture: Mixture) -> dict[str, np.ndarray]:
    """Numbers of the first data set that travel with the weights; see `Card.stats`."""
    probed = crops.centre[:: max(1, len(crops.names) // N_PROBED)]
    stats = {f"filters/{key}": value for key, value in filter_statistics(model, probed).items()}
    labels = np.sort([sample.score for sample in mixture.parts[0].data.samples.values()])
    features = feature_statistics(model, crops.centre, crops.data_sets)
    return {**stats, **features, "filters/n": np.array(len(probed)), "labels": labels}

"""Try a recipe on photos held back of training parts, and add a row to recipes.csv.

python benchmarks/recipes.py --data SCUT-FBP5500 --data MEBEAUTY NAME [augment.background=0.5 training.epochs=12 ...]
    [--against OTHER]

Learnt from is SCUT-FBP5500's 60/40 training part without a tenth, and MEBeauty's training list without a fifth; the
tenth and the fifth are looked at once, at the end. (Rows without MEBeauty are older: fold 1 without a tenth.)
"""

import argparse
import csv
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE)]

from beauty_evaluate import metrics
from beauty_evaluate.cli.common import import_tensorflow
from beauty_evaluate.presets import preset
from beauty_evaluate.settings import with_settings

TABLE = HERE / "recipes.csv"
SPLITS = ("60-40-val", "fold1")
COLUMNS = (
    "name", "changes", "epochs", "views", "parameters", "images_per_second", "seconds", "seed", "commit",
    "pearson", "mae", "rmse", "train_mse",
    "mebeauty", "within_gender", "gender_gap", "origin_gap", "background_drift", "mean_pc",
    "against", "gain", "gain_low", "gain_high",
)  # fmt: skip
N_DRIFT = 100  # held-back photos of each set whose background is replaced


def main() -> None:
    """Run one training and keep its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True, help="twice: SCUT-FBP5500, MEBeauty")
    parser.add_argument("--out", type=Path, default=Path("runs/recipes"), help="folder of all runs")
    parser.add_argument("--preset", default="six_block")
    parser.add_argument("--against", help="an earlier trial to compare with")
    parser.add_argument("name")
    parser.add_argument("changes", nargs="*")
    options = parser.parse_args()
    config = with_settings(preset(options.preset), options.changes)
    import_tensorflow()
    from beauty_evaluate.datasets import registry
    from beauty_evaluate.training.checkpoint import Checkpoint
    from beauty_evaluate.training.job import Job, line_of, train

    data = tuple(registry.read(folder) for folder in options.data)
    out = options.out / options.name
    resume = Checkpoint.path(out).exists()
    job = Job(config, data, out, SPLITS, resume=resume, command="benchmarks/recipes.py")
    run = train(job, lambda line: print(line, flush=True))
    print(line_of(run.history[-1]))
    scut, mebeauty = run.evaluations.values()
    np.savez(out / "held_back.npz", scut=[scut.predicted, scut.true], mebeauty=[mebeauty.predicted, mebeauty.true])
    row = {
        "name": options.name, "changes": " ".join(options.changes), "epochs": config.training.epochs,
        "views": config.training.views_per_epoch, "parameters": run.card.parameters,
        "images_per_second": run.card.images_per_second, "seconds": run.card.seconds, "seed": config.training.seed,
        "commit": run.card.commit, **_figures(scut, mebeauty), "train_mse": f"{run.history[-1].loss:.4f}",
        "background_drift": f"{_background_drift(run.card, data):.3f}",
        **(_gain(options.out, options.name, options.against) if options.against else {}),
    }  # fmt: skip
    print(row)
    with open(TABLE, "a", newline="", encoding="utf-8") as file:
        csv.DictWriter(file, COLUMNS, lineterminator="\n").writerow(row)


def _figures(scut: Any, mebeauty: Any) -> dict[str, str]:
    """Of the held-back photos; gaps are predicted ones beyond those of the raters, in SDs."""
    figures = scut.metrics()["all"]
    _, _, labels, scores = mebeauty.gap("gender")
    origins = mebeauty.groups("origin")
    gaps = [abs(mebeauty.too_high(origins == origin)) for origin in set(origins.tolist())]
    pc = mebeauty.metrics()["all"]["pearson"]
    return {
        **{key: f"{figures[key]:.4f}" for key in ("pearson", "mae", "rmse")},
        "mebeauty": f"{pc:.4f}", "within_gender": f"{mebeauty.within('gender'):.4f}",
        "gender_gap": f"{scores - labels:.3f}", "origin_gap": f"{max(gaps):.3f}",
        "mean_pc": f"{(figures['pearson'] + pc) / 2:.4f}",
    }  # fmt: skip


def _background_drift(card: Any, data: Any) -> float:
    """Mean absolute change of the score of held-back photos before other backgrounds, rating points."""
    from drift import before_other_backgrounds

    from beauty_evaluate.raters import registry

    changes = []
    rater: Any = registry.of_card(card, "onnxruntime", 1)
    for one, split in zip(data, SPLITS, strict=True):
        names = one.split(split).test
        samples = [one.samples[name] for name in names[:: max(1, len(names) // N_DRIFT)]]
        changes.append(np.abs(before_other_backgrounds(samples, rater)))
    return float(np.mean([change.mean() for change in changes]))


def _gain(out: Path, name: str, other: str) -> dict[str, str]:
    """How much the mean of both PCs gains on another trial, with a paired bootstrap over the held-back photos."""
    runs = [np.load(out / each / "held_back.npz") for each in (name, other)]
    sizes = [runs[0][key].shape[1] for key in ("scut", "mebeauty")]

    def gain(pick: NDArray[np.int64]) -> float:
        scut, mebeauty = pick[: sizes[0]], pick[sizes[0] :] - sizes[0]
        new, old = (
            metrics.pearson(*run["scut"][:, scut]) + metrics.pearson(*run["mebeauty"][:, mebeauty]) for run in arrays
        )
        return float(new - old) / 2

    arrays = [{key: run[key] for key in ("scut", "mebeauty")} for run in runs]
    low, high = metrics.bootstrap(gain, sum(sizes), parts=np.repeat([0, 1], sizes))
    value = gain(np.arange(sum(sizes)))
    return {"against": other, "gain": f"{value:.4f}", "gain_low": f"{low:.4f}", "gain_high": f"{high:.4f}"}


if __name__ == "__main__":
    main()

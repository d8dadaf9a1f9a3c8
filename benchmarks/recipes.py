"""Try a recipe on the held-back tenth of fold 1's training part, and add a row to recipes.csv.

python benchmarks/recipes.py --data SCUT-FBP5500 NAME [network.dropout=0.2 training.epochs=12 ...]
"""

import argparse
import csv
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from beauty_evaluate.cli.common import import_tensorflow
from beauty_evaluate.presets import preset
from beauty_evaluate.settings import with_settings

TABLE = HERE / "recipes.csv"
COLUMNS = (
    "name", "changes", "epochs", "views", "parameters", "images_per_second", "seconds", "seed", "commit",
    "pearson", "mae", "rmse", "train_mse",
)  # fmt: skip


def main() -> None:
    """Run one training and keep its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="folder of the run (default: runs/recipes/NAME)")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("name")
    parser.add_argument("changes", nargs="*")
    options = parser.parse_args()
    config = with_settings(preset("six_block"), options.changes)
    out = options.out or Path("runs/recipes") / options.name
    import_tensorflow()
    from beauty_evaluate.datasets import registry
    from beauty_evaluate.training.job import Job, line_of, train

    data = registry.read(options.data)
    job = Job(config, (data,), out, ("fold1",), True, options.resume, "benchmarks/recipes.py")
    run = train(job, print)
    card, figures = run.card, run.card.metrics[data.title]["all"]
    print(line_of(run.history[-1]))
    row = (
        options.name, " ".join(options.changes), config.training.epochs, config.training.views_per_epoch,
        card.parameters,
        card.images_per_second, card.seconds, config.training.seed, card.commit,
        *(f"{figures[k]:.4f}" for k in ("pearson", "mae", "rmse")), f"{run.history[-1].loss:.4f}",
    )  # fmt: skip
    new = not TABLE.exists()
    with open(TABLE, "a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(COLUMNS)
        writer.writerow(row)


if __name__ == "__main__":
    main()

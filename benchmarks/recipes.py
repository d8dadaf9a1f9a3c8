"""Try a recipe on the held-back tenth of fold 1's training part, and add a row to recipes.csv.

python benchmarks/recipes.py --data SCUT-FBP5500 NAME [network.dropout=0.2 training.epochs=12 ...]
"""

import argparse
import csv
import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from beauty_evaluate.cli.common import import_tensorflow
from beauty_evaluate.config import Config, from_json, preset, to_json

TABLE = HERE / "recipes.csv"
COLUMNS = (
    "name", "changes", "epochs", "views", "parameters", "images_per_second", "seconds", "seed", "commit",
    "pearson", "mae", "rmse", "train_mse",
)  # fmt: skip


def changed(config: Config, changes: list[str]) -> Config:
    """The recipe with `section.key=value` changes, values as JSON."""
    values = to_json(config)
    for change in changes:
        path, value = change.split("=", 1)
        *sections, key = path.split(".")
        place = values
        for section in sections:
            place = place[section]
        if key not in place:
            sys.exit(f"Expected a setting. Received: {path}.")
        place[key] = json.loads(value)
    return from_json(values)  # type: ignore[no-any-return]


def main() -> None:
    """Run one training and keep its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="folder of the run (default: runs/recipes/NAME)")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("name")
    parser.add_argument("changes", nargs="*")
    options = parser.parse_args()
    config = changed(preset("six_block"), options.changes)
    out = options.out or Path("runs/recipes") / options.name
    import_tensorflow()
    from beauty_evaluate.training.checkpoint import Checkpoint
    from beauty_evaluate.training.job import Job, train

    card = train(Job(config, options.data, "fold1", out, True, options.resume, "benchmarks/recipes.py"))
    run = Checkpoint.read(out)
    assert run is not None
    figures = card.metrics["all"]
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

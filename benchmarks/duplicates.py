"""Copies of one photo within and across data sets: duplicates.md, counts alone.

python benchmarks/duplicates.py --data SCUT-FBP5500 --data MEBEAUTY

London, which ships with the project, is compared with them. What counts is a pair of which one photo is in a training
part of `six_block_60-40` and the other in a test list.
"""

import argparse
import sys
from collections import Counter as Tally
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import numpy as np

from beauty_evaluate.cli.common import Counter
from beauty_evaluate.config import CropConfig
from beauty_evaluate.datasets.crops import load_crops
from beauty_evaluate.datasets.registry import read as read_data_set
from beauty_evaluate.evaluation.duplicates import near_duplicates
from beauty_evaluate.raters import registry


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True)
    parser.add_argument("--weights", default=registry.EVALUATED)
    parser.add_argument("--out", type=Path, default=HERE / "duplicates.md")
    options = parser.parse_args()
    card = registry.load_card(options.weights)
    sets = {one.title: one for one in [*map(read_data_set, options.data), read_data_set()]}
    names: list[tuple[str, str]] = []
    pixels = []
    for title, data in sets.items():
        crops = load_crops(list(data.samples.values()), CropConfig(size=128), progress=Counter(f"reading {title}"))
        names += [(title, name) for name in crops.names]
        pixels.append(crops.centre)
    keys = tuple(map(str, range(len(names))))
    pairs = near_duplicates(keys, np.concatenate(pixels), Counter("comparing photos"))
    tally: Tally[tuple[str, str]] = Tally()
    leaks: Tally[tuple[str, str]] = Tally()
    for pair in pairs:
        two = [names[int(key)] for key in (pair.first, pair.second)]
        sorts = tuple(sorted(title for title, _ in two))
        tally[sorts[0], sorts[1]] += 1
        leaks[sorts[0], sorts[1]] += sum(bool(card.knows(title, [name])) for title, name in two) == 1
    lines = [
        "# Copies of one photo",
        f"Near-duplicates (alike by perceptual hash, and correlating after registration) among {len(names)} photos, by "
        "`python benchmarks/duplicates.py --data SCUT-FBP5500 --data MEBEAUTY`; the last column counts pairs of which "
        f"`{card.name}` has learnt from one and not from the other.",
        "\n".join([
            "| Data sets | Pairs | Learnt from one |",
            "| --- | ---: | ---: |",
            *(f"| {' and '.join(dict.fromkeys(key))} | {tally[key]} | {leaks[key]} |" for key in sorted(tally)),
        ]),
    ]  # fmt: skip
    text = "\n\n".join(lines)
    options.out.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()

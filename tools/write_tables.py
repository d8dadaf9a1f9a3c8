"""Rewrite the marked tables of README.md, MODEL_CARD.md and docs/results.md from cards and reports.

Run from a checkout: `python tools/write_tables.py`. `python3 -m beauty_evaluate evaluate --readme FILE` does one page.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from beauty_evaluate.config import ROOT
from beauty_evaluate.reporting.results import update_blocks, written_blocks

PAGES = ("README.md", "MODEL_CARD.md", "docs/results.md")


def main() -> None:
    """Rewrite each page and name the tables that it has."""
    blocks = written_blocks(ROOT)
    for page in PAGES:
        print(f"{page}: {', '.join(update_blocks(ROOT / page, blocks))}")


if __name__ == "__main__":
    main()

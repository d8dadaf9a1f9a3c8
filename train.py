"""Train a network: `python3 train.py --data DIR`."""

from beauty_evaluate.cli.train import main

raise SystemExit(main())

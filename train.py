"""Train a network: `python3 train.py --data DIR`."""

from beauty_evaluate.cli.train import main

if __name__ == "__main__":
    raise SystemExit(main())

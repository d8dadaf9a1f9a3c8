"""Look inside the network: `python3 visualize.py PHOTO --out DIR`."""

from beauty_evaluate.cli.visualize import main

if __name__ == "__main__":
    raise SystemExit(main())

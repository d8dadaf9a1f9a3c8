"""Score photos: `python3 use.py PHOTO`."""

from beauty_evaluate.cli.use import main

if __name__ == "__main__":
    raise SystemExit(main())

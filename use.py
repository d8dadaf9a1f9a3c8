"""Score photos: `python3 use.py PHOTO`."""

from beauty_evaluate.cli.use import main

raise SystemExit(main())

"""Look inside the network: `python3 visualize.py PHOTO --out DIR`."""

from beauty_evaluate.cli.visualize import main

raise SystemExit(main())

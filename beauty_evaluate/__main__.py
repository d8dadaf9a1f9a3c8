"""`python -m beauty_evaluate COMMAND`."""

from beauty_evaluate.cli.common import main

raise SystemExit(main())

"""Serve the page: drop a photo, see the score and why. Photos stay on this machine."""

import argparse
from collections.abc import Sequence

from beauty_evaluate.cli.common import add_weights, start
from beauty_evaluate.errors import UserError

MEGABYTE = 1 << 20


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s, this machine)")
    parser.add_argument("--port", type=int, default=8000, help="0: any that is free (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="photos scored at once (default: %(default)s)")
    parser.add_argument(
        "--upload", type=int, default=32, metavar="MB", help="most a request may bring (default: %(default)s)"
    )
    add_weights(parser)


def _run(options: argparse.Namespace) -> int:
    for name in ("threads", "upload"):
        if getattr(options, name) < 1:
            raise UserError(f"Expected --{name} of at least 1. Received: {getattr(options, name)}.")
    if not 0 <= options.port <= 65535:
        raise UserError(f"Expected --port of 0..65535. Received: {options.port}.")
    from beauty_evaluate.scoring.scorer import Scorer
    from beauty_evaluate.web.app import HERE, create_app, serve

    scorer = Scorer(options.weights)
    scorer.check_regions()
    # on all addresses, by whatever name this machine has in its network; else by the one it listens on
    named = f"[{options.host}]" if ":" in options.host else options.host
    hosts = () if options.host in ("0.0.0.0", "::") else (*HERE, named)
    app = create_app(scorer, options.threads, options.upload * MEGABYTE, hosts)
    serve(
        app,
        options.host,
        options.port,
        options.threads,
        lambda address: print(f"{address}\nCtrl-C ends it.", flush=True),
    )
    return 0

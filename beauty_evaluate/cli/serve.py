"""Serve the page: drop a photo, see the score and why. Photos stay on this machine."""

import argparse
from collections.abc import Sequence

from beauty_evaluate.cli.common import add_weights, start
from beauty_evaluate.errors import UserError

MEGABYTE = 1 << 20
EVERYWHERE = ("0.0.0.0", "::")  # all addresses of this machine


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s, this machine)")
    parser.add_argument("--port", type=int, default=8000, help="0 for any free port (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="photos scored at once (default: %(default)s)")
    parser.add_argument(
        "--upload", type=int, default=32, metavar="MB", help="largest size of one request (default: %(default)s)"
    )
    add_weights(parser)


def _run(options: argparse.Namespace) -> int:
    _check(options)
    from beauty_evaluate.scoring.scorer import Scorer
    from beauty_evaluate.web.app import create_app, serve

    scorer = Scorer(options.weights)
    scorer.check_regions()
    app = create_app(scorer, options.threads, options.upload * MEGABYTE, _host_names(options.host))
    serve(app, options.host, options.port, options.threads, _print_address)
    return 0


def _check(options: argparse.Namespace) -> None:
    for name in ("threads", "upload"):
        if getattr(options, name) < 1:
            raise UserError(f"Expected --{name} of at least 1. Received: {getattr(options, name)}.")
    if not 0 <= options.port <= 65535:
        raise UserError(f"Expected --port of 0..65535. Received: {options.port}.")


def _host_names(host: str) -> tuple[str, ...]:
    """The names that requests may use: any where the server listens on all addresses, since a machine has many."""
    from beauty_evaluate.web.app import HERE

    return () if host in EVERYWHERE else (*HERE, f"[{host}]" if ":" in host else host)


def _print_address(address: str) -> None:
    print(f"{address}\nPress Ctrl-C to stop.", flush=True)

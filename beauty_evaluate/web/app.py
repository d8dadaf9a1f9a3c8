"""The Flask application and its server: wiring, limits and headers. Addresses are answered in views.py and api.py."""

import io
import json
import logging
import signal
import socket
import sys
from collections.abc import Callable
from typing import IO, Any

import flask
import waitress.channel
import waitress.task
from flask.json.provider import DefaultJSONProvider
from waitress.server import create_server
from werkzeug.exceptions import HTTPException

from beauty_evaluate.errors import PhotoError, UserError
from beauty_evaluate.scoring.scorer import Scorer
from beauty_evaluate.web import api, replies, requests, views
from beauty_evaluate.web.service import QUEUED_EXPLANATIONS, QUEUED_SCORES, Busy, ScoringService, TooLong

SPARE = 1 << 16  # bytes of a request beside its photos
SPARE_THREADS = 4  # for requests that are answered at once
CONNECTIONS = 100  # at once; one more takes the place of the one that was silent longest
IDLE, LOOK = 30, 5  # seconds after which a silent connection is closed, and between two looks for such
HERE = ("127.0.0.1", "localhost", "[::1]")
HEADERS = {
    # nothing from elsewhere, and nothing of ours inside other pages; crops are data, photos to be looked at are blobs
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class InMemory(flask.Request):
    """A request whose uploads never touch the disk, however large."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return io.BytesIO()


class OrderedJSON(DefaultJSONProvider):
    """JSON whose keys stay in the order of the columns."""

    sort_keys = False


class App(flask.Flask):
    """Flask with requests that stay in memory."""

    request_class = InMemory
    json_provider_class = OrderedJSON


def create_app(scorer: Scorer, threads: int = 2, upload: int = 32 << 20, hosts: tuple[str, ...] = HERE) -> flask.Flask:
    """The application.

    Args:
        scorer: of the weights behind the page.
        threads: photos scored at once.
        upload: bytes of a request's photos.
        hosts: the names that the server may be called by, without a port; () for any. A page under another name could
            have been pointed at this address to read its answers.

    Example:
        >>> app = create_app(Scorer())
        >>> app.test_client().get("/health").get_json()["status"]
        'ok'
        >>> app.extensions[requests.SERVICE].close()
    """
    app = App(__name__)
    app.config.update(MAX_CONTENT_LENGTH=upload + SPARE, MAX_FORM_PARTS=100)
    app.extensions[requests.SERVICE] = ScoringService(scorer, threads)
    app.register_blueprint(views.pages)
    app.register_blueprint(api.api)
    app.before_request(lambda: _refuse_strangers(hosts))
    app.before_request(requests.reserve_memory)
    app.teardown_request(requests.release_memory)
    app.after_request(_with_headers)
    app.register_error_handler(HTTPException, replies.http_error)
    for kind in (PhotoError, Busy, TooLong):
        app.register_error_handler(kind, replies.user_error)
    return app


def _refuse_strangers(hosts: tuple[str, ...]) -> None:
    """403 for another host name, and for a post that another site's page sent."""
    request = flask.request
    name = request.host if request.host.endswith("]") else request.host.rsplit(":", 1)[0]
    if hosts and name not in hosts:
        flask.abort(403, "This server is not known by that host name.")
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:  # by browsers alone; they know better than the origin, which our no-referrer makes "null"
        foreign = site not in ("same-origin", "none")
    else:
        foreign = origin is not None and origin != request.host_url.rstrip("/")
    if request.method == "POST" and foreign:
        flask.abort(403, "Requests from other sites are refused.")


def _with_headers(response: flask.Response) -> flask.Response:
    response.headers.update(HEADERS)
    return response


class _ErrorTask(waitress.task.ErrorTask):
    """What waitress refuses before the application sees it, a body that is too large for one, in our form."""

    def execute(self) -> None:
        error = self.request.error
        code = {413: "too_large", 500: "broken"}.get(error.code, "refused")
        body = json.dumps({"error": {"code": code, "message": f"{error.reason}: {error.body}."}}).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.extend([*HEADERS.items(), ("Content-Type", "application/json")])
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(waitress.channel.HTTPChannel):
    error_task_class = _ErrorTask

    def __init__(self, server: Any, *args: Any, **named: Any) -> None:
        _make_room(server)
        super().__init__(server, *args, **named)

    def send_continue(self) -> None:
        """Ask for the body, unless its announced size was refused already."""
        if not self.request.error:
            super().send_continue()


def _make_room(server: Any) -> None:
    """Close the connection that was silent longest, where all places are taken: waitress itself would leave whoever
    comes next waiting until some silent client is given up, up to a minute later."""
    if len(server.active_channels) < CONNECTIONS:
        return
    waiting = [
        channel for channel in server.active_channels.values() if not channel.requests and not channel.writable()
    ]
    if waiting:
        min(waiting, key=lambda channel: channel.last_activity).handle_close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise UserError(f"Cannot listen on {host}, port {port}: {error.strerror}. Try another --port.") from error


def serve(app: flask.Flask, host: str, port: int, threads: int, ready: Callable[[str], Any] = print) -> None:
    """Run until interrupted.

    Args:
        app: from `create_app`.
        host: address to listen on.
        port: of it; 0 for any that is free.
        threads: photos scored at once.
        ready: called with the page's address once the server listens.

    Raises:
        UserError: it cannot listen there.
    """
    listening = _listen(host, port)
    server = create_server(
        app,
        sockets=[listening],
        threads=threads
        + QUEUED_SCORES
        + QUEUED_EXPLANATIONS
        + 4,  # each waits for its turn; a few more answer meanwhile
        ident=None,
        max_request_body_size=app.config["MAX_CONTENT_LENGTH"],
        inbuf_overflow=sys.maxsize,  # above these two, waitress would write temporary files
        outbuf_overflow=sys.maxsize,
        channel_timeout=IDLE,
        cleanup_interval=LOOK,
        connection_limit=2 * CONNECTIONS,  # reached only where as many requests are under way
    )
    server.channel_class = _Channel
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # whoever waits is told so in the answer
    ready(f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}/")

    def stop(number: int, frame: Any) -> None:
        app.extensions[requests.SERVICE].close()  # or the server would wait for what is under way
        raise KeyboardInterrupt

    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop)
    server.run()  # which ends, quietly, when interrupted

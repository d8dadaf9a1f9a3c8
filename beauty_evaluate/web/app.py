"""The Flask application and its server: wiring, limits and headers; what a route does is in views.py."""

import io
from collections.abc import Callable
from typing import IO, Any

import flask
from werkzeug.exceptions import HTTPException

from beauty_evaluate.errors import UserError
from beauty_evaluate.images import MAX_BYTES
from beauty_evaluate.scoring.scorer import Scorer
from beauty_evaluate.web import views
from beauty_evaluate.web.work import Busy, Desk, TooLong

FORM_BYTES = 100_000  # of a form's fields that are not files
SPARE = 1 << 20  # bytes of a request beside its photos
HEADERS = {
    # nothing from elsewhere, and nothing of ours inside other pages; crops are data, photos to be looked at are blobs
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class InMemory(flask.Request):
    """A request whose uploads never touch the disk, however large."""

    def _get_file_stream(
        self, total_content_length: int | None, content_type: str | None, filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:  # fmt: skip
        return io.BytesIO()


class App(flask.Flask):
    """Flask with requests that stay in memory."""

    request_class = InMemory


def create_app(
    scorer: Scorer, threads: int = 2, upload: int = MAX_BYTES, hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
) -> flask.Flask:
    """The application. threads: photos scored at once; explanations go one by one. upload: bytes of a request. hosts: the
    names it may be called by, without a port; a page of another name could otherwise have been led here."""
    app = App(__name__)
    app.config.update(MAX_CONTENT_LENGTH=upload + SPARE, MAX_FORM_MEMORY_SIZE=FORM_BYTES, MAX_FORM_PARTS=100)
    app.extensions["desk"] = Desk(scorer, threads)
    app.register_blueprint(views.pages)
    app.before_request(lambda: _refuse_strangers(hosts))
    app.after_request(_with_headers)
    app.register_error_handler(HTTPException, views.http_error)
    for kind in (UserError, Busy, TooLong):
        app.register_error_handler(kind, views.own_error)
    return app


def _refuse_strangers(hosts: tuple[str, ...]) -> None:
    """403 for another host name, and for a post that another site's page sent."""
    request = flask.request
    name = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
    if name not in hosts:
        flask.abort(403, "Expected this page's own address. Received: another host name.")
    if request.method in ("GET", "HEAD"):
        return
    origin = request.headers.get("Origin")
    foreign = origin is not None and origin != request.host_url.rstrip("/")
    if foreign or request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        flask.abort(403, "Expected a request of this page itself. Received: one from another site.")


def _with_headers(response: flask.Response) -> flask.Response:
    response.headers.update(HEADERS)
    if flask.request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response


def serve(app: flask.Flask, host: str, port: int, threads: int, ready: Callable[[str], Any] = print) -> None:
    """Run until interrupted. ready: told the address once it is listening."""
    import waitress

    limit = app.config["MAX_CONTENT_LENGTH"]
    server = waitress.create_server(
        app, host=host, port=port, threads=threads + 2, ident=None, max_request_body_size=limit,
        inbuf_overflow=limit + SPARE, outbuf_overflow=limit, channel_timeout=60, connection_limit=200,
    )  # fmt: skip
    # the two overflows: above them waitress would spool to temporary files
    ready(f"http://{host}:{server.effective_port}/")  # type: ignore[union-attr]
    server.run()

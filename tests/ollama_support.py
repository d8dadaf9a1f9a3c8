"""A server that speaks Ollama's protocol on a free port of this machine, and remembers what it was sent."""

import base64
import json
import threading
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2
import numpy as np

MODEL, DIGEST = "small:latest", "0123456789abcdef"
Answer = Callable[["FakeOllama", dict[str, Any]], str]


def picture_of(request: dict[str, Any]) -> np.ndarray:
    """The picture that came with a question, uint8 (H, W, 3) RGB."""
    data = np.frombuffer(base64.b64decode(request["messages"][0]["images"][0]), np.uint8)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))[:, :, ::-1]


def brightness(server: "FakeOllama", request: dict[str, Any]) -> str:
    """An answer that depends on the picture alone."""
    return f'{{"rating": {picture_of(request).mean() / 255:.6f}, "confidence": 0.9}}'


class FakeOllama(ThreadingHTTPServer):
    """Answers `/api/tags`, `/api/show` and `/api/chat`.

    Args:
        answer: what the model says.
        shown: what `/api/show` gives.
        redirect: an address to which every question is sent on.
    """

    daemon_threads = True

    def __init__(self, answer: Answer = brightness, shown: dict[str, Any] | None = None, redirect: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer, self.shown, self.redirect = answer, shown or {}, redirect
        self.questions: list[dict[str, Any]] = []
        self.requests: list[str] = []
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def server_close(self) -> None:
        self.shutdown()
        super().server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that no longer waits is no mistake."""


class _Handler(BaseHTTPRequestHandler):
    server: FakeOllama

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        self._reply({"models": [{"model": MODEL, "digest": DIGEST}]})

    def do_POST(self) -> None:
        self.server.requests.append(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/api/show":
            return self._reply(self.server.shown)
        if self.server.redirect:
            self.send_response(307)
            self.send_header("Location", self.server.redirect + self.path)
            return self.end_headers()
        self.server.questions.append(body)
        content = self.server.answer(self.server, body)
        return self._reply({"model": MODEL, "message": {"role": "assistant", "content": content}, "done": True})

    def _reply(self, values: dict[str, Any]) -> None:
        data = json.dumps(values).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing is printed."""


@cache
def shared_server() -> FakeOllama:
    """One for all tests that only need answers."""
    return FakeOllama()

"""The page behind its real server, in a process of its own."""

import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path

import pytest
from conftest import PORTRAIT, ROOT
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from beauty_evaluate.cli import serve
from beauty_evaluate.config import RatingScale
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.mean_baseline import MeanBaselineConfig
from beauty_evaluate.web.app import CONNECTIONS
from beauty_evaluate.web.replies import RETRY
from beauty_evaluate.web.service import QUEUED_SCORES

LARGE = 5_000_000  # bytes of an upload
MANY, SETTLED = 400, 100  # requests, and those after which memory has to stay as it is
GROWTH = 40 << 10  # kB that the allocator may still take: less than three bytes in a hundred of what was sent
CLIENTS = 64

# every file that Python opens to write is reported, unnamed ones too
WATCHED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # it is off where tests run in the background
def report(event, args):
    if event in ("tempfile.mkstemp", "tempfile.mkdtemp"):
        os.write(2, f"WRITES {args}\\n".encode())
    elif event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        os.write(2, f"WRITES {args}\\n".encode())
from beauty_evaluate.cli.serve import main
import beauty_evaluate.scoring.scorer, beauty_evaluate.web.app
sys.addaudithook(report)
sys.exit(main(sys.argv[1:]))
"""

# no photo is scored until standard input is closed
HELD = """
import sys
from beauty_evaluate.scoring.scorer import Scorer
from beauty_evaluate.cli.serve import main
look = Scorer.look
def held(*args, **named):
    sys.stdin.read()
    return look(*args, **named)
Scorer.look = held
sys.exit(main(sys.argv[1:]))
"""


class Server:
    """A running server and what it says."""

    def __init__(self, folder: Path, *flags: str, script: str = WATCHED) -> None:
        command = [sys.executable, "-c", script, "--port", "0", "--upload", "16", *flags]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert self.process.stdout is not None
        address = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\n", self.process.stdout.readline())
        assert address
        self.port = int(address[1])

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)

    def memory(self) -> int:
        """What the process holds, kB."""
        size = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        assert size
        return int(size[1])

    def files(self) -> set[str]:
        """Files that the process has open, unnamed ones too."""
        names = set()
        for link in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                names.add(os.readlink(link))
            except OSError:  # closed in the meantime
                continue
        return {name for name in names if name.startswith("/") and not name.startswith(("/dev/", "/proc/"))}

    def end(self) -> tuple[int, str, str]:
        """Stop it as Ctrl-C does: exit code, standard output and error."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@pytest.fixture(scope="module")
def mean_card(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The card of a rater that answers at once."""
    folder = tmp_path_factory.mktemp("weights")
    return str(cards.write(Card("mean", MeanBaselineConfig(), RatingScale(1, 5), folder=folder)))


@pytest.fixture
def server(tmp_path: Path, mean_card: str) -> Iterator[Server]:
    server = Server(tmp_path, "--weights", mean_card)
    yield server
    server.process.kill()
    server.process.communicate()


def form(data: bytes) -> tuple[bytes, dict[str, str]]:
    boundary, body = encode_multipart({"photo": FileStorage(io.BytesIO(data), "secret_name.jpg")})
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def test_large_uploads_leave_no_file_and_no_memory_behind(server: Server, tmp_path: Path) -> None:
    good = PORTRAIT.read_bytes()
    whole = form(good + bytes(LARGE - len(good)))  # what stands behind the end of a JPEG does not matter
    broken = form(bytes(LARGE))
    opened: set[str] = set()

    def requests(count: int) -> list[str]:
        line, statuses = server.connect(), []
        for i in range(count):
            line.request("POST", "/api/score", *(whole if i % 20 == 0 else broken))
            opened.update(server.files())
            (row,) = json.loads(line.getresponse().read())["rows"]
            statuses.append(row["status"])
        line.close()
        return statuses

    def rounds(count: int) -> None:
        with ThreadPoolExecutor(4) as pool:
            statuses = [status for part in pool.map(requests, [count // 4] * 4) for status in part]
        assert len(statuses) == count
        assert set(statuses) == {"ok", "unreadable"}

    rounds(SETTLED)
    before = server.memory()
    rounds(MANY - SETTLED)
    assert server.memory() - before < GROWTH
    assert not [name for name in opened if name.startswith(str(tmp_path)) or name.endswith("(deleted)")]
    assert list(tmp_path.iterdir()) == []
    code, out, err = server.end()
    assert code == 0
    assert "WRITES" not in err
    assert "secret_name" not in out + err  # nothing of a photo is logged
    assert err == ""


def test_what_is_too_large_is_refused_before_it_is_read(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
        head = "POST /api/score HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99000000\r\n\r\n"
        line.sendall(head.encode())  # and not one byte of the body
        answer = b""
        while part := line.recv(65536):
            answer += part
    head, body = answer.decode().split("\r\n\r\n", 1)
    assert head.startswith("HTTP/1.1 413")
    assert "nosniff" in head
    assert json.loads(body)["error"]["code"] == "too_large"


def test_a_refused_body_is_not_asked_for(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as line:
        head = "POST /api/score HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99000000\r\nExpect: 100-continue\r\n\r\n"
        line.sendall(head.encode())
        assert line.recv(100).startswith(b"HTTP/1.1 413")


def test_silent_clients_keep_nobody_waiting(server: Server) -> None:
    half, rest = b"GET /health HTTP/1.1\r\nHost: localhost\r\n", b"Connection: close\r\n\r\n"
    with ExitStack() as stack:

        def connect(count: int) -> list[socket.socket]:
            address = ("127.0.0.1", server.port)
            return [stack.enter_context(socket.create_connection(address, 600)) for _ in range(count)]

        silent, halves = connect(10), connect(CONNECTIONS)
        for slow in halves:
            slow.sendall(half)
        line = server.connect()
        line.request("GET", "/health")
        assert line.getresponse().status == 200
        line.close()
        assert silent[0].recv(1) == b""  # the oldest made room
        halves[20].sendall(rest)  # nobody was given up for being silent, so that the others are still served
        assert halves[20].recv(15) == b"HTTP/1.1 200 OK"


def test_requests_beyond_the_queue_are_told_to_come_again(tmp_path: Path, mean_card: str) -> None:
    server = Server(tmp_path, "--threads", "1", "--weights", mean_card, script=HELD)
    body, headers = form(PORTRAIT.read_bytes())

    def ask() -> tuple[int, str | None]:
        line = server.connect()
        line.request("POST", "/api/score", body, headers)
        answer = line.getresponse()
        answer.read()
        line.close()
        return answer.status, answer.getheader("Retry-After")

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = as_completed([pool.submit(ask) for _ in range(CLIENTS)])
        refused = [next(answers).result() for _ in range(CLIENTS - 1 - QUEUED_SCORES)]  # one is scored, the rest waits
        assert set(refused) == {(503, str(RETRY))}
        assert server.process.stdin is not None
        server.process.stdin.close()
        assert {answer.result() for answer in answers} == {(200, None)}
    assert ask() == (200, None)
    server.process.stdin = None  # which `communicate` would flush
    code, _, err = server.end()
    assert (code, err) == (0, "")


def test_ctrl_c_ends_a_server_that_explains(tmp_path: Path) -> None:
    server = Server(tmp_path)  # with the shipped network, which takes its time
    line, (body, headers) = server.connect(), form(PORTRAIT.read_bytes())
    line.request("POST", "/api/explain", body, {**headers, "Accept": "application/x-ndjson"})
    answer = line.getresponse()
    assert json.loads(answer.readline())["total"] == 1024
    code, _, err = server.end()
    assert (code, err) == (0, "")
    lines = answer.read().splitlines()
    assert not lines or b"1024, " not in lines[-1]  # it did not go on to the end
    answer.close()
    line.close()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--port", "99999"], "Expected --port of 0..65535"),
        (["--host", "256.1.1.1"], "Cannot listen on 256.1.1.1"),
        (["--threads", "0"], "Expected --threads of at least 1"),
        (["--upload", "-3"], "Expected --upload of at least 1"),
        (["--weights", "nowhere"], "No such card"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_flags_end_with_one_sentence(
    flags: list[str], message: str, mean_card: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert serve.main(["--port", "0", "--weights", mean_card, *flags]) == 2
    err = capsys.readouterr().err
    assert message in err
    assert len(err.splitlines()) == 1

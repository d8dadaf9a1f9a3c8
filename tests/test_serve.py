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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import PORTRAIT, ROOT, Run
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from beauty_evaluate.web.views import RETRY

LARGE = 5_000_000  # bytes of an upload
MANY, SETTLED = 1000, 200  # requests, and those after which memory has to stay as it is
GROWTH = 40 << 10  # kB that the allocator may still take: less than one byte in a hundred of what was sent

# every file that Python opens to write is told, unnamed ones too
WATCHED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # it is off where tests run in the background
def told(event, args):
    if event in ("tempfile.mkstemp", "tempfile.mkdtemp"):
        os.write(2, f"WRITES {args}\\n".encode())
    elif event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        os.write(2, f"WRITES {args}\\n".encode())
from beauty_evaluate.cli.serve import main
import beauty_evaluate.scoring.scorer, beauty_evaluate.web.app
sys.addaudithook(told)
sys.exit(main(sys.argv[1:]))
"""


class Server:
    """A running server and what it says."""

    def __init__(self, folder: Path, *flags: str) -> None:
        command = [sys.executable, "-c", WATCHED, "--port", "0", "--upload", "16", *flags]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\n", self.process.stdout.readline())
        assert found
        self.port = int(found[1])

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)

    def memory(self) -> int:
        """What the process holds, kB."""
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        assert found
        return int(found[1])

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


@pytest.fixture
def server(tmp_path: Path, drawn_run: Path) -> Iterator[Server]:
    """With a network so small that it explains in no time."""
    server = Server(tmp_path, "--weights", str(drawn_run / "weights" / "drawn.json"))
    yield server
    server.process.kill()
    server.process.communicate()


def form(data: bytes) -> tuple[bytes, dict[str, str]]:
    boundary, body = encode_multipart({"photo": FileStorage(io.BytesIO(data), "secret_name.jpg")})
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def test_a_thousand_large_uploads_leave_no_file_and_no_memory_behind(server: Server, tmp_path: Path) -> None:
    good = PORTRAIT.read_bytes()
    whole = form(good + bytes(LARGE - len(good)))  # what stands behind the end of a JPEG does not matter
    broken = form(bytes(LARGE))
    opened: set[str] = set()

    def requests(count: int) -> list[str]:
        line, found = server.connect(), []
        for i in range(count):
            line.request("POST", "/api/score", *(whole if i % 20 == 0 else broken))
            opened.update(server.files())
            (row,) = json.loads(line.getresponse().read())["rows"]
            found.append(row["status"])
        line.close()
        return found

    def rounds(count: int) -> None:
        with ThreadPoolExecutor(4) as pool:
            found = [status for part in pool.map(requests, [count // 4] * 4) for status in part]
        assert len(found) == count
        assert set(found) == {"ok", "unreadable"}

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


def test_who_comes_when_too_many_are_waiting_is_told_to_come_again(tmp_path: Path) -> None:
    server = Server(tmp_path, "--threads", "1")  # with the shipped network, which takes its time
    body, headers = form(PORTRAIT.read_bytes())

    def ask(_: int) -> tuple[int, str | None]:
        line = server.connect()
        line.request("POST", "/api/score", body, headers)
        answer = line.getresponse()
        answer.read()
        line.close()
        return answer.status, answer.getheader("Retry-After")

    with ThreadPoolExecutor(64) as pool:
        found = set(pool.map(ask, range(192)))
    assert found == {(200, None), (503, str(RETRY))}
    assert ask(0) == (200, None)
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
    ("flags", "words"),
    [
        (["--port", "99999"], "Expected --port of 0..65535"),
        (["--host", "256.1.1.1"], "Expected an address to listen on"),
        (["--threads", "0"], "Expected --threads of at least 1"),
        (["--upload", "-3"], "Expected --upload of at least 1"),
        (["--weights", "nowhere"], "Expected a card"),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_wrong_flags_are_told(run: Run, flags: list[str], words: str) -> None:
    found = run("-m", "beauty_evaluate", "serve", *flags)
    assert found.returncode == 2
    assert words in found.stderr
    assert len(found.stderr.splitlines()) == 1

"""How many photos a second the page's API scores for 32 clients at once, beside the bare scorer. Writes web.md.

python benchmarks/web.py --data SCUT-FBP5500 [--clients 32] [--seconds 60]
"""

import argparse
import http.client
import io
import itertools
import re
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from beauty_evaluate.scoring.batch import scan
from beauty_evaluate.scoring.scorer import Scorer

PHOTOS = 500  # different ones that clients send in turn
GOOD = "200"


class Load:
    """What the clients met: seconds of each photo that was scored, and how many answers of each status; a line that
    broke counts by the name of its error."""

    def __init__(self, port: int, forms: list[tuple[bytes, dict[str, str]]], until: float) -> None:
        self.port, self.until = port, until
        self.turns = itertools.cycle(forms)
        self.lock = threading.Lock()
        self.seconds: list[float] = []
        self.status: Counter[str] = Counter()

    def client(self) -> None:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        while time.perf_counter() < self.until:
            with self.lock:
                body, headers = next(self.turns)
            begin = time.perf_counter()
            try:
                line.request("POST", "/api/score", body, headers)
                answer = line.getresponse()
                answer.read()
                status = str(answer.status)
            except (OSError, http.client.HTTPException) as error:
                status = type(error).__name__
                line.close()  # the next request opens it again
            with self.lock:
                self.status[status] += 1
                if status == GOOD:
                    self.seconds.append(time.perf_counter() - begin)


def form(path: Path) -> tuple[bytes, dict[str, str]]:
    boundary, body = encode_multipart({"photo": FileStorage(io.BytesIO(path.read_bytes()), path.name)})
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def bare(paths: list[Path], seconds: float) -> float:
    """Photos a second of `batch.scan`, which `use.py` runs on a folder."""
    begin, count = time.perf_counter(), 0
    for _ in scan(Scorer(), map(str, itertools.cycle(paths))):
        count += 1
        if time.perf_counter() - begin > seconds:
            break
    return count / (time.perf_counter() - begin)


def load_server(paths: list[Path], clients: int, seconds: float) -> tuple[Load, float, int]:
    """Run the server and its clients.

    Args:
        paths: of the photos that are sent in turn.
        clients: that send at once.
        seconds: for how long.

    Returns:
        What the clients met, the seconds that it took, and the server's peak memory in kB.
    """
    command = [sys.executable, "-m", "beauty_evaluate", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=HERE.parent, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            address = re.search(r":(\d+)/", server.stdout.readline())
            assert address, "The server did not start."
            begin = time.perf_counter()
            load = Load(int(address[1]), [form(path) for path in paths], begin + seconds)
            threads = [threading.Thread(target=load.client) for _ in range(clients)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            passed = time.perf_counter() - begin
            peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{server.pid}/status").read_text())
            assert peak
            return load, passed, int(peak[1])
        finally:
            server.terminate()


def report(load: Load, passed: float, peak: int, alone: float, options: argparse.Namespace) -> str:
    """The table. alone: photos a second of the bare scorer."""
    good, answers = load.status[GOOD], sum(load.status.values())
    parts = statistics.quantiles(load.seconds, n=20)
    others = ", ".join(f"{count} of {status}" for status, count in sorted(load.status.items()) if status != GOOD)
    return f"""# The page under load

{options.clients} clients at once for {options.seconds:.0f} s on loopback, a photo of SCUT-FBP5500 in each request to
`/api/score`, from the same machine. Made by `python benchmarks/web.py --data SCUT-FBP5500`.

| | |
| --- | --- |
| answers a second | {good / passed:.1f} |
| median, 95th percentile of them | {1000 * parts[9]:.0f} ms, {1000 * parts[18]:.0f} ms |
| other answers | {others or "none"} of {answers} |
| peak memory of the server | {peak / 1024:.0f} MB |
| the bare scorer (`batch.scan`, both cores) | {alone:.1f} photos a second |
| the page's share of that | {good / passed / alone:.0%} |
"""


def main() -> None:
    """Run the server, the clients, and then the bare scorer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=60)
    options = parser.parse_args()
    paths = sorted((options.data / "Images").glob("*.jpg"))
    paths = paths[:: max(1, len(paths) // PHOTOS)]
    load, passed, peak = load_server(paths, options.clients, options.seconds)
    text = report(load, passed, peak, bare(paths, options.seconds / 2), options)
    (HERE / "web.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()

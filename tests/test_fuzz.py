"""Mutated picture files: every one is scored or gets its one sentence. FUZZ_CASES=10000 runs more of them by hand."""

import collections
import functools
import io
import math
import os
import pickle
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import PORTRAIT, ROOT, Run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from beauty_evaluate import limits

CASES = int(os.environ.get("FUZZ_CASES", "300"))
MEMORY = 50 * 1024  # kB that files which lie about their size may add to a process
MOST = 500 * 1024  # kB that a process may take with the largest photo that is read
PATIENCE = 120  # seconds; a file that is not done by then hangs
STATUSES = {"unreadable", "too_large", "too_small", "no_face"}


PROFILES = (b"", *(path.read_bytes() for path in sorted((Path(__file__).parent / "profiles").glob("*.icc"))))


@functools.cache
def small() -> Image.Image:
    with Image.open(PORTRAIT) as photo:
        return photo.convert("RGB").resize((180, 210))


@functools.lru_cache(maxsize=64)
def encoded(kind: str, orientation: int = 6, profile: bytes = b"") -> bytes:
    """A portrait in a format; of another `KINDS` of file where `kind` says so."""
    file, (form, mode, options) = io.BytesIO(), KINDS[kind]
    exif = Image.Exif()
    exif[0x0112] = orientation
    described = {"exif": exif, **({"icc_profile": profile} if profile else {})}
    extra = {} if form in ("GIF", "BMP", "JPEG2000") else described
    small().convert(mode).save(file, form, **extra, **options)
    return file.getvalue()


MORE: dict[str, Any] = {"save_all": True, "append_images": [Image.new("RGB", (180, 210), "red")]}
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {  # format, mode and options of Pillow
    "JPEG": ("JPEG", "RGB", {}),
    "progressive JPEG": ("JPEG", "RGB", {"progressive": True}),
    "CMYK JPEG": ("JPEG", "CMYK", {}),
    "grey JPEG": ("JPEG", "L", {}),
    "PNG": ("PNG", "RGB", {}),
    "palette PNG": ("PNG", "P", {}),
    "transparent PNG": ("PNG", "RGBA", {}),
    "animated PNG": ("PNG", "RGB", MORE),
    "WebP": ("WEBP", "RGB", {}),
    "lossless WebP": ("WEBP", "RGBA", {"lossless": True}),
    "animated WebP": ("WEBP", "RGB", MORE),
    "BMP": ("BMP", "RGB", {}),
    "GIF": ("GIF", "RGB", {}),
    "animated GIF": ("GIF", "RGB", MORE),
    "TIFF": ("TIFF", "RGB", {}),
    "LZW TIFF": ("TIFF", "RGBA", {"compression": "tiff_lzw"}),
    "deflated TIFF": ("TIFF", "LAB", {"compression": "tiff_adobe_deflate"}),
    "JPEG TIFF": ("TIFF", "RGB", {"compression": "jpeg"}),
    "several TIFF": ("TIFF", "RGB", MORE),
    "AVIF": ("AVIF", "RGB", {}),
    "JPEG 2000": ("JPEG2000", "RGB", {}),
}
FILES = {kind: encoded(kind) for kind in ("JPEG", "PNG", "WebP", "BMP")}


def size_place(kind: str, data: bytes | bytearray) -> int:
    """Where the header says how large the picture is."""
    return {"PNG": 16, "BMP": 18, "JPEG": data.find(b"\xff\xc0") + 5}[kind]


SIZED = ("PNG", "BMP", "JPEG")


def lie(kind: str, data: bytearray, size: int) -> None:
    """Let the header say another size; in a PNG with the checksum that makes it be believed."""
    struct.pack_into({"PNG": ">I", "BMP": "<I", "JPEG": ">H"}[kind], data, size_place(kind, data), size)
    if kind == "PNG":
        struct.pack_into(">I", data, 29, zlib.crc32(data[12:29]))


def _profile(draw: st.DrawFn) -> bytes:
    """None, a good one, or one with a byte changed."""
    profile = bytearray(draw(st.sampled_from(PROFILES)))
    if profile and draw(st.booleans()):
        profile[draw(st.integers(0, min(len(profile), 1000) - 1))] ^= draw(st.integers(1, 255))
    return bytes(profile)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A real file, with an orientation and a profile, with bytes flipped, cut out, put in or repeated, or with a header
    that lies about its size."""
    lies = draw(st.integers(0, 4)) == 0
    kind = draw(st.sampled_from(SIZED if lies else sorted(KINDS)))
    data = bytearray(encoded(kind, draw(st.integers(1, 8)), _profile(draw)))
    if lies:
        wide = kind in ("PNG", "BMP")
        most = 2**31 - 1 if wide else 2**16 - 1
        size = draw(st.sampled_from((0, 5, 20, 31, 5000, 2**15)) | st.integers(most // 2, most))
        lie(kind, data, size)
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, max(0, len(data) - 1)))
        length = draw(st.integers(1, 64))
        change = draw(st.sampled_from(("flip",) * 6 + ("cut", "put", "repeat", "end")))
        if change == "flip" and data:
            data[place] ^= draw(st.integers(1, 255))
        elif change == "cut":
            del data[place : place + length]
        elif change == "put":
            data[place:place] = draw(st.binary(min_size=1, max_size=16))
        elif change == "repeat":
            data[place:place] = data[place : place + length]
        elif change == "end":
            del data[place:]
    return bytes(data)


@pytest.fixture(scope="module")
def seen() -> Iterator[collections.Counter[str]]:
    """Counts what became of the files; says so at the end, where output is shown."""
    counts: collections.Counter[str] = collections.Counter()
    yield counts
    print(f"\n{dict(counts)}")
    for status in ("ok", "unreadable", "too_large", "too_small"):
        assert counts[status] > 0, status


SCORER = """
import pickle, re, sys, time
from pathlib import Path
from beauty_evaluate import Scorer
from beauty_evaluate.errors import PhotoError

def peak():
    found = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text()) if sys.platform == "linux" else None
    return int(found[1]) if found else 0

scorer = Scorer()
while True:
    status, words, scores, begin = "ok", "", [], time.process_time()
    try:
        scores = [row.score for row in scorer.score(pickle.load(sys.stdin.buffer))]
    except EOFError:
        break
    except PhotoError as error:
        status, words = error.status, str(error)
    pickle.dump((status, words, scores, peak(), time.process_time() - begin), sys.stdout.buffer)
    sys.stdout.buffer.flush()
"""


@pytest.fixture(scope="module")
def process() -> Iterator["subprocess.Popen[bytes]"]:
    """Scores what it is sent: a process of its own, which may crash and whose memory is its own."""
    command = [sys.executable, "-c", SCORER]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        yield running
        running.communicate()
    assert running.returncode == 0


def scored(process: "subprocess.Popen[bytes]", data: bytes) -> tuple[str, str, list[float], int, float]:
    """Status, words, scores, the peak of its memory in kB, and seconds of processor time. Raises EOFError where it
    crashed, or hung."""
    assert process.stdin is not None
    assert process.stdout is not None
    watch = threading.Timer(PATIENCE, process.kill)
    watch.start()
    try:
        pickle.dump(data, process.stdin)
        process.stdin.flush()
        return pickle.load(process.stdout)  # type: ignore[no-any-return]
    finally:
        watch.cancel()


@settings(max_examples=CASES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
@given(data=mutated())
def test_every_file_is_scored_or_named(
    process: "subprocess.Popen[bytes]", seen: collections.Counter[str], data: bytes
) -> None:
    status, words, scores, peak, seconds = scored(process, data)
    seen[status] += 1
    seen["slowest, ms"] = max(seen["slowest, ms"], round(1000 * seconds))
    seen["peak, MB"] = peak >> 10
    assert status in ("ok", *STATUSES)
    assert "\n" not in words
    assert all(1 <= score <= 5 for score in scores)
    assert peak < MOST


PEAK = """
import re, sys
from pathlib import Path
from beauty_evaluate import Scorer
from beauty_evaluate.errors import PhotoError

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

scorer = Scorer()
scorer.score(sys.argv[1])
before, statuses = peak(), []
for path in sys.argv[2:]:
    try:
        scorer.score(path)
        statuses.append("ok")
    except PhotoError as error:
        statuses.append(error.status)
print(peak() - before, peak(), *statuses)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process's memory stands in /proc")
def test_files_that_lie_about_their_size_take_no_memory(run: Run, tmp_path: Path) -> None:
    """In a process of its own, since in this one the peak is that of some other test."""
    paths, expected = [], []
    for kind in SIZED:
        data = bytearray(FILES[kind])
        place = size_place(kind, data)
        for size in (2**15, 2**16 - 1):
            lie(kind, data, size)
            width = 2 if kind == "JPEG" else 4  # of a number: the other side stands behind it
            data[place + width : place + 2 * width] = data[place : place + width]
            lie(kind, data, size)  # the checksum again
            paths.append(tmp_path / f"{kind}{size}")
            paths[-1].write_bytes(data)
            expected.append("too_large")
    for name, content in (("png", FILES["PNG"]), ("webp", FILES["WebP"])):
        paths.append(tmp_path / f"half.{name}")
        paths[-1].write_bytes(content[: len(content) // 2])
        expected.append("unreadable")
    paths.append(tmp_path / "bomb.png")
    Image.new("1", (30_000, 30_000)).save(paths[-1])
    done = run("-c", PEAK, PORTRAIT, *paths)
    grown, _, *statuses = done.stdout.split()
    assert statuses == [*expected, "too_large"]
    assert int(grown) < MEMORY


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process's memory stands in /proc")
def test_the_largest_photo_takes_less_than_half_a_gigabyte(run: Run, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned, which needs a copy
    side = math.isqrt(limits.MAX_PIXELS)
    with Image.open(PORTRAIT) as photo:
        photo.convert("RGB").resize((side, side)).save(tmp_path / "large.jpg", exif=exif)
    done = run("-c", PEAK, PORTRAIT, tmp_path / "large.jpg")
    grown, most, _ = map(str, done.stdout.split())
    assert int(grown) > 3 * limits.MAX_PIXELS / 1024  # it was decoded
    assert int(most) < MOST

"""What becomes of photos as people have them, before and after: photos.json, photos.md.

python benchmarks/photos.py [--data MEBEAUTY] [--only WORD] [--weights NAME]
python benchmarks/photos.py [--data MEBEAUTY] --package OLD_CHECKOUT    # fills the column `before`
"""

import argparse
import dataclasses
import io
import itertools
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PORTRAITS = {name: ROOT / "examples" / name for name in ("grace_hopper.jpg", "eileen_collins.png")}
PROFILES = {path.stem: path.read_bytes() for path in (ROOT / "tests" / "profiles").glob("*.icc")}
SRGB = ImageCms.createProfile("sRGB")
RESULTS, PAGE = HERE / "photos.json", HERE / "photos.md"
PROFILED_PHOTOS = 150  # of a data set's training list


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of photo.

    Attributes:
        name: for the table.
        make: from a portrait to what `Scorer.score` is given.
        right: rating points that the score may differ by, or what a message, a warning or a note must say (a pattern).
        like: from a portrait to the photo whose score is right.
    """

    name: str
    make: Callable[[Image.Image], Any]
    right: float | str
    like: Callable[[Image.Image], Any] = np.asarray


@dataclasses.dataclass(frozen=True)
class Call:
    """A call of use.py in a folder.

    Attributes:
        name: for the table.
        files: makes what lies in the folder; returns what comes through the pipe.
        arguments: of the call.
        right: what it must print (a pattern).
    """

    name: str
    files: Callable[[Path], bytes | None]
    arguments: Sequence[str]
    right: str


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def in_profile(image: Image.Image, profile: bytes) -> Image.Image:
    target = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    return ImageCms.profileToProfile(image, SRGB, target)  # type: ignore[return-value]


def profiled(name: str, kind: str, **options: Any) -> Callable[[Image.Image], bytes]:
    profile = PROFILES[name]
    return lambda photo: encoded(in_profile(photo, profile), kind, icc_profile=profile, **options)


def saved(kind: str, **options: Any) -> Callable[[Image.Image], bytes]:
    return lambda photo: encoded(photo, kind, **options)


def chunk(name: bytes, body: bytes, checksum: bytes | None = None) -> bytes:
    return struct.pack(">I", len(body)) + name + body + (checksum or struct.pack(">I", zlib.crc32(name + body)))


def with_chunk(extra: bytes) -> Callable[[Image.Image], bytes]:
    def make(photo: Image.Image) -> bytes:
        data = encoded(photo)
        return data[:33] + extra + data[33:]

    return make


def black_first(kind: str) -> Callable[[Image.Image], bytes]:
    return lambda photo: encoded(Image.new("RGB", photo.size), kind, save_all=True, append_images=[photo])


def large(width: int, height: int, kind: str = "JPEG", **options: Any) -> Callable[[Image.Image], bytes]:
    """The portrait on a large canvas, a third as high."""

    def make(photo: Image.Image) -> bytes:
        scale = height / 3 / photo.height
        canvas = Image.new("RGB", (width, height), (120, 140, 160))
        canvas.paste(photo.resize((round(photo.width * scale), height // 3)), (width // 3, height // 3))
        return encoded(canvas, kind, **options)

    return make


def array(convert: Callable[[Any], Any]) -> Callable[[Image.Image], Any]:
    return lambda photo: convert(np.asarray(photo))


WELL = {"quality": 95}
LOSSLESS_AVIF = {"quality": 100, "subsampling": "4:4:4"}
ENCODINGS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("JPEG", WELL), ("PNG", {}), ("WEBP", {"lossless": True}), ("AVIF", LOSSLESS_AVIF), ("TIFF", {}),
)  # fmt: skip
FINE = 0.05  # rating points, where nothing but rounding and compression differs
LONG_TEXT = zlib.compress(bytes(2 << 20))
KINDS: list[Kind] = [
    *(
        Kind(f"{title}, {kind}", profiled(name, kind, **options), FINE, saved(kind, **options))
        for name, title in (("display_p3", "Display P3"), ("adobe_rgb", "Adobe RGB"), ("swapped_red_green", "swapped"))
        for kind, options in ENCODINGS
    ),
    Kind("a broken profile", saved("PNG", icc_profile=PROFILES["display_p3"][:200]), FINE),
    Kind("TIFF", saved("TIFF"), FINE),
    Kind("TIFF, LZW", saved("TIFF", compression="tiff_lzw"), FINE),
    Kind("GIF (256 colours)", saved("GIF"), 0.3),
    Kind("JPEG 2000", saved("JPEG2000"), FINE),
    Kind("JPEG of inks (CMYK)", lambda photo: encoded(photo.convert("CMYK"), "JPEG", **WELL), FINE),
    *(Kind(f"animation, first picture black, {k}", black_first(k), "first picture") for k in ("WEBP", "GIF", "PNG")),
    Kind("PNG with 2 MB of packed text", with_chunk(chunk(b"zTXt", b"Comment\0\0" + LONG_TEXT)), FINE),
    Kind("PNG with a large profile", with_chunk(chunk(b"iCCP", b"large\0\0" + LONG_TEXT)), FINE),
    Kind("PNG, wrong checksum of its gamma", with_chunk(chunk(b"gAMA", bytes((0, 0, 177, 143)), b"oops")), FINE),
    Kind(
        "JPEG without its last two bytes",
        lambda photo: encoded(photo, "JPEG", **WELL)[:-2],
        FINE,
        saved("JPEG", **WELL),
    ),
    Kind("JPEG without its last kilobyte", lambda photo: encoded(photo, "JPEG", **WELL)[:-1024], "damaged"),
    Kind("JPEG of 108 megapixels", large(12_000, 9_000), 0.15),
    Kind("JPEG of 200 megapixels", large(16_320, 12_240), 0.15),
    Kind("PNG of 64 megapixels", large(9_248, 6_936, "PNG", compress_level=1), "9248 x 6936.*JPEG"),
    Kind("array of floats", array(lambda pixels: pixels / 255), FINE),
    Kind("array of 16 bits", array(lambda pixels: pixels.astype(np.uint16) * 257), FINE),
    Kind("array of floats to 255", array(lambda pixels: pixels.astype(np.float32)), "0 to 1"),
    Kind("PDF", lambda photo: b"%PDF-1.7\n%\xe2\xe3\n", "a PDF"),
    Kind("video", lambda photo: b"\0\0\0\x18ftypmp42" + bytes(40), "a video"),
    Kind("zip", lambda photo: b"PK\x03\x04" + bytes(40), "an archive"),
    Kind("web page", lambda photo: b"<!DOCTYPE html><html>", "a web page"),
    Kind("pointer of Git LFS", lambda photo: b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
    Kind("raw camera file", lambda photo: b"II*\0\x10\0\0\0CR\x02\0" + bytes(40), "raw camera file"),
    Kind("address", lambda photo: "https://example.org/me.jpg", "not fetched"),
]


def _folder(path: Path) -> None:
    for name in ("clip.mp4", "paper.pdf", "raw.nef"):
        (path / name).touch()
    (path / "a.jfif").write_bytes(PORTRAITS["grace_hopper.jpg"].read_bytes())


def _dash(path: Path) -> None:
    (path / "-dash.jpg").write_bytes(PORTRAITS["grace_hopper.jpg"].read_bytes())


def _loop(path: Path) -> None:
    (path / "a.jpg").write_bytes(PORTRAITS["grace_hopper.jpg"].read_bytes())
    for name in ("one", "two"):
        os.symlink(path, path / name, target_is_directory=True)


def _listed(encoding: str) -> Callable[[Path], bytes]:
    return lambda path: f"{PORTRAITS['grace_hopper.jpg']}\r\n".encode(encoding)


CALLS = [
    Call("a folder with .jfif, video, PDF, raw file", _folder, ["."], r"a\.jfif: 2\..*(?s:.)*Left out.*1 video"),
    Call("-dash.jpg", _dash, ["-dash.jpg"], r"-dash\.jpg: 2\."),
    Call("** among links that go round", _loop, ["**/*.jpg"], r"\Aa\.jpg: 2\.[^\n]*\n\Z"),
    Call("a picture on a pipe", lambda path: PORTRAITS["grace_hopper.jpg"].read_bytes(), ["-"], r"-: 2\."),
    Call("a list with a byte order mark", _listed("utf-8-sig"), ["-"], r"grace_hopper\.jpg: 2\."),
    Call("a list in UTF-16", _listed("utf-16"), ["-"], r"grace_hopper\.jpg: 2\."),
]


def main(argv: Sequence[str] | None = None) -> None:
    global _weights
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="MEBeauty, whose training photos get other colour spaces")
    parser.add_argument("--package", type=Path, default=ROOT, help="another checkout, which is `before`")
    parser.add_argument("--only", default="", metavar="WORD", help="kinds with this word in their name")
    parser.add_argument("--weights", help="default: the best network of that checkout")
    options = parser.parse_args(argv)
    _weights = options.weights
    sys.path.insert(0, str(options.package))
    column = "after" if options.package == ROOT else "before"
    results: dict[str, dict[str, str]] = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    for kind in [kind for kind in (*KINDS, *CALLS) if options.only in kind.name]:
        cell = call(kind, options.package) if isinstance(kind, Call) else score(kind)
        print(f"{kind.name}: {cell}", flush=True)
        results.setdefault(kind.name, {})[column] = cell
    for name, (kind_of_file, how) in itertools.product(PROFILES, (("PNG", {}), ("JPEG", {**WELL, "subsampling": 0}))):
        title = f"{PROFILED_PHOTOS} photos in {name}, {kind_of_file}"
        if options.data and options.only in title:
            results.setdefault(title, {})[column] = photos_in(name, options.data, kind_of_file, how)
            print(title, results[title][column], flush=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    if column == "after":
        PAGE.write_text(page(results, cost()))


def score(kind: Kind) -> str:
    """What becomes of the kind, of the worst of the portraits."""
    cells = []
    for path in PORTRAITS.values():
        with Image.open(path) as file:
            portrait = file.convert("RGB")
        source = kind.make(portrait)
        begin = time.perf_counter()
        row = _row(source)
        took = time.perf_counter() - begin
        text = " ".join(filter(None, (row["error"], row["warnings"], row.get("notes"))))
        gap = None if row["score"] is None else row["score"] - _row(kind.like(portrait))["score"]
        if isinstance(kind.right, str):
            good, cell = re.search(kind.right, text) is not None, text or f"{row['score']:.2f}, without a word"
        else:
            good = gap is not None and abs(gap) <= kind.right
            cell = f"refused: {text}" if gap is None else f"{gap:+.2f}{f', {took:.1f} s' if took > 1 else ''}"
        cells.append((good, abs(gap or 0), _short(cell)))
    good, _, cell = max(cells, key=lambda one: (not one[0], one[1]))
    return cell if good else f"**{cell}**"


def _row(source: Any) -> dict[str, Any]:
    from beauty_evaluate import Scorer
    from beauty_evaluate.errors import PhotoError

    scorer = _scorers.setdefault("one", Scorer(_weights))
    try:
        return dataclasses.asdict(max(scorer.score(source), key=lambda row: row.w * row.h))
    except PhotoError as error:
        return {"score": None, "error": str(error), "warnings": ""}


_scorers: dict[str, Any] = {}
_weights: str | None = None


def _short(cell: str, most: int = 150) -> str:
    cell = " ".join(cell.replace("|", "/").split())
    return cell if len(cell) <= most else f"{cell[:most]}..."


def call(kind: Call, package: Path) -> str:
    with tempfile.TemporaryDirectory() as folder:
        content = kind.files(Path(folder))
        try:
            done = subprocess.run(
                [sys.executable, package / "use.py", *kind.arguments], cwd=folder, input=content or b"",
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=60,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return "**no end within a minute**"
    text = done.stdout.decode(errors="replace")
    good = re.search(kind.right, text) is not None
    lines = text.replace(str(ROOT) + os.sep, "").splitlines()
    shown = _short(f"{lines[0][:60]} ... {lines[-1]}" if len(lines) > 1 else "".join(lines))
    return shown if good else f"**{shown}**"


def photos_in(name: str, data: Path, kind: str, how: dict[str, Any]) -> str:
    """How far the scores of a training list's photos lie from those of the same photos in another colour space."""
    from beauty_evaluate.datasets.registry import read

    data_set = read(data)
    names = data_set.splits[data_set.default_split]().train
    gaps = []
    for chosen in np.random.default_rng(0).permutation(names)[:PROFILED_PHOTOS]:
        with Image.open(data_set.samples[str(chosen)].path) as photo:
            plain = Image.fromarray(np.asarray(photo.convert("RGB")))
        own, other = (_row(make(plain))["score"] for make in (saved(kind, **how), profiled(name, kind, **how)))
        if own is not None and other is not None:
            gaps.append(abs(other - own))
    cell = f"mean {np.mean(gaps):.3f}, most {np.max(gaps):.2f}, {len(gaps)} scored"
    return cell if np.mean(gaps) <= 0.02 else f"**{cell}**"


def cost() -> float:
    """Milliseconds a megapixel that the conversion of a profile takes on one core."""
    from beauty_evaluate import profiles

    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), np.uint8))
    convert = profiles.converter({}, "RGB", "Display P3")
    assert convert is not None
    times = []
    for _ in range(5):
        begin = time.process_time()
        convert(image)
        times.append(time.process_time() - begin)
    return 1000 * min(times)


PAGE_TEXT = """# Photos as people have them

What became of each kind of photo, made from the two portraits of `examples/`: how far its score lies from that of the
same photo without the fault, the worse of the two, or what was said. **Bold** is wrong: {before} of {kinds} kinds
before, {after} after. Converting a profile's colours takes {cost} ms of one core a megapixel, and nothing for sRGB.

```sh
python benchmarks/photos.py --data MEBeauty
git worktree add ../before 93dd429 && python benchmarks/photos.py --data MEBeauty --package ../before
```

| Kind | Right | Before | After |
| --- | --- | --- | --- |
"""


def page(results: dict[str, dict[str, str]], costs: float) -> str:
    wrong = {
        column: sum(row.get(column, "").startswith("**") for row in results.values()) for column in ("before", "after")
    }
    rows = [
        f"| {name} | {right(name)} | {row.get('before', '')} | {row.get('after', '')} |\n"
        for name, row in results.items()
    ]
    return PAGE_TEXT.format(kinds=len(results), cost=f"{costs:.0f}", **wrong) + "".join(rows)


def right(name: str) -> str:
    """What is right for a kind, in a word."""
    for kind in KINDS:
        if kind.name == name:
            return f"within {kind.right:g}" if isinstance(kind.right, float) else f"says so: `{kind.right}`"
    return "mean within 0.02" if name.startswith(f"{PROFILED_PHOTOS} photos") else "scored"


if __name__ == "__main__":
    main()

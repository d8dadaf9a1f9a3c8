"""What all commands share: how they start, how they fail, flags that mean the same everywhere."""

import argparse
import errno
import gc
import io
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module

from beauty_evaluate.config import ROOT
from beauty_evaluate.errors import UserError

COMMANDS = {
    "score": ("use", "score the faces of photos"),
    "train": ("train", "train a network"),
    "visualize": ("visualize", "show filters and feature maps"),
    "evaluate": ("evaluate", "compare scores with labels"),
    "export": ("export", "write a network as an ONNX file"),
    "faithfulness": ("faithfulness", "prove the explanations of a network"),
    "prune": ("prune", "make a network smaller and faster"),
    "report-data": ("report_data", "describe a data set"),
    "serve": ("serve", "serve the page on this machine"),
}

LIGHT = {"cv2", "flask", "numpy", "onnxruntime", "PIL", "waitress"}
HEAVY = {"tensorflow", "keras", "matplotlib", "scipy", "imagehash", "h5py", "tf2onnx", "onnx"}

PACKAGES = {"cv2": "opencv-python", "PIL": "pillow"}  # whose modules have other names

CLEAR = "\r\x1b[K"  # to the beginning of a line in a terminal, which becomes empty

Run = Callable[[argparse.Namespace], int]


def start(add_flags: Callable[[argparse.ArgumentParser], None], run: Run, doc: str, argv: Sequence[str] | None) -> int:
    """Parse and run a command. Returns its exit code: 2 after a user's mistake, 130 when interrupted."""
    parser = argparse.ArgumentParser(description=doc, allow_abbrev=False)
    add_flags(parser)
    options = parser.parse_args(argv)
    for stream in (sys.stdout, sys.stderr):  # a file name may hold bytes that are not UTF-8
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = run(options)
        gc.freeze()  # Python's search for garbage on leaving costs a tenth of a call
        return code
    except UserError as error:
        return _fail(parser.prog, str(error))
    except ModuleNotFoundError as error:
        file = "requirements-use.txt" if error.name in LIGHT else "requirements.txt"
        if error.name not in LIGHT | HEAVY:
            raise
        there = (ROOT / file).is_file()  # an installed package has none
        cure = f"{sys.executable} -m pip install " + (f"-r {file}" if there else PACKAGES.get(error.name, error.name))
        wanted = f"the packages of {file}" if there else "its packages"
        return _fail(parser.prog, f"Expected {wanted}. Received: no {error.name}; {cure}.")
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted", file=sys.stderr)
        return 130
    except OSError as error:
        if error.filename is None:
            if error.errno not in (errno.EPIPE, errno.ENOSPC):
                raise
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left to flush would fail again
            if error.errno == errno.EPIPE:  # the reader of our output has gone, as `head` does
                return 130
        if isinstance(error, FileExistsError):  # by making a folder: files are written over
            return _fail(parser.prog, f"Expected a folder. Received: {error.filename}, which is none.")
        return _fail(
            parser.prog, f"Expected to read or write {error.filename or 'output'}. Received: {error.strerror}."
        )


def _fail(program: str, sentence: str) -> int:
    print(f"{program}: {sentence}", file=sys.stderr)
    return 2


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m beauty_evaluate COMMAND`."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] not in COMMANDS:
        lines = [f"  {name:<12} {about}" for name, (_, about) in COMMANDS.items()]
        text = "usage: python -m beauty_evaluate COMMAND [options]\n\n" + "\n".join(lines)
        asked = bool(words) and words[0] in ("-h", "--help")
        if words and not asked:
            text = f"Expected a command. Received: {words[0]}.\n\n{text}"
        print(text, file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    sys.argv[0] = f"beauty_evaluate {words[0]}"  # the name that messages begin with
    module = import_module(f"beauty_evaluate.cli.{COMMANDS[words[0]][0]}")
    return int(module.main(words[1:]))


def add_weights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weights", metavar="NAME", help="a name in weights/ or the path of a card (default: the best)"
    )


def add_into(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--into", metavar="NAME", nargs="+", default=[],
        help="cards of networks of this recipe that shall tell what was found, in every report: names or paths",
    )  # fmt: skip


class Counter:
    """A line on stderr that counts, with rate and time left, where a person is watching."""

    def __init__(self, what: str) -> None:
        self.what, self.begin, self.shown = what, time.monotonic(), 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if not sys.stderr.isatty() or (now - self.shown < 0.2 and done < total):
            return
        self.shown = now
        rate = done / max(now - self.begin, 1e-9)
        end = "\n" if done == total else ""
        pace = f"{rate:.1f} a second" if rate >= 0.1 else f"{1 / rate:.0f} s each"
        words = f"{self.what}: {done}/{total}, {pace}, {(total - done) / rate:.0f} s left"
        print(f"{CLEAR}{words}", end=end, file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the line away: something else will be printed."""
        if self.shown and sys.stderr.isatty():
            self.shown = 0.0
            print(CLEAR, end="", file=sys.stderr, flush=True)


def import_tensorflow() -> None:
    """Import TensorFlow and Keras without notes about the processor and missing GPUs, which no log level keeps back."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        import_module("beauty_evaluate.raters.backend")
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)

"""What all commands share: how they start, how they fail, flags that mean the same everywhere."""

import argparse
import errno
import gc
import io
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from beauty_evaluate import __version__
from beauty_evaluate.config import ROOT
from beauty_evaluate.errors import UserError

COMMANDS = {
    "score": ("use", "score the faces of photos"),
    "train": ("train", "train a network"),
    "visualize": ("visualize", "show filters and feature maps"),
    "evaluate": ("evaluate", "compare scores with labels"),
    "export": ("export", "write a rater as a folder, or a network as an ONNX file"),
    "bench": ("bench", "compare raters on the same photos"),
    "faithfulness": ("faithfulness", "evaluate how faithful the explanations of a network are"),
    "prune": ("prune", "make a network smaller and faster"),
    "report-data": ("report_data", "describe a data set"),
    "serve": ("serve", "serve the page on this machine"),
}

VERSION = f"beauty_evaluate {__version__}"

LIGHT = {"cv2", "flask", "jinja2", "numpy", "onnxruntime", "PIL", "tqdm", "waitress"}
HEAVY = {"tensorflow", "keras", "keras_hub", "ollama", "matplotlib", "scipy", "imagehash", "h5py", "tf2onnx", "onnx"}

PACKAGES = {"cv2": "opencv-python", "PIL": "pillow"}  # whose modules have other names

Run = Callable[[argparse.Namespace], int]


def start(add_flags: Callable[[argparse.ArgumentParser], None], run: Run, doc: str, argv: Sequence[str] | None) -> int:
    """Parse and run a command. Returns its exit code: 2 after a user's mistake, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog=_program(), description=doc, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=VERSION)
    add_flags(parser)
    options = parser.parse_args([as_path(word) for word in (sys.argv[1:] if argv is None else argv)])
    for stream in (sys.stdout, sys.stderr):  # a file name may hold bytes that are not UTF-8
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    warnings.filterwarnings("ignore", module=r"PIL\.")  # of damage in photos, which we tell in our own sentence
    try:
        code = run(options)
        gc.freeze()  # Python's search for garbage on leaving costs a tenth of a call
        return code
    except UserError as error:
        return _fail(parser.prog, str(error))
    except ModuleNotFoundError as error:
        return _fail(parser.prog, _missing_package(error))
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted", file=sys.stderr)
        return 130
    except OSError as error:
        return _cannot_write(parser.prog, error)


def as_path(word: str) -> str:
    """A word of the command line, so that argparse takes a file called `-dash.jpg` for a file.

    Args:
        word: as it was typed, or as a pattern of the shell became it.

    Example:
        >>> as_path("--csv")
        '--csv'
    """
    is_file = word.startswith("-") and word != "-" and os.path.isfile(word)
    return os.path.join(os.curdir, word) if is_file else word


def _program() -> str:
    """The name that the user typed."""
    name = os.path.basename(sys.argv[0])
    return "python -m beauty_evaluate" if name == "__main__.py" else name


def _missing_package(error: ModuleNotFoundError) -> str:
    """What to install; a package that is not one of ours is a bug, which keeps its traceback."""
    if error.name not in LIGHT | HEAVY:
        raise error
    file = "requirements-use.txt" if error.name in LIGHT else "requirements.txt"
    there = (ROOT / file).is_file()  # an installed package has none
    wanted = f"-r {file}" if there else PACKAGES.get(error.name or "", error.name)
    return f"The package {error.name} is missing. Install it: {sys.executable} -m pip install {wanted}"


def _cannot_write(program: str, error: OSError) -> int:
    """A file that cannot be read or written, or output that has gone or is full."""
    if error.filename is None:
        if error.errno not in (errno.EPIPE, errno.ENOSPC):
            raise error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left to flush would fail again
        if error.errno == errno.EPIPE:  # the reader of our output has gone, as `head` does
            return 130
    if isinstance(error, FileExistsError):  # by making a folder: files are written over
        return _fail(program, f"{error.filename} is a file, not a folder. Name another folder.")
    return _fail(program, f"Cannot read or write {error.filename or 'the output'}: {error.strerror}.")


def _fail(program: str, sentence: str) -> int:
    print(f"{program}: {sentence}", file=sys.stderr)
    return 2


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m beauty_evaluate COMMAND` and `beauty-evaluate COMMAND`."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    program, command = _program(), arguments[0] if arguments else ""
    if command == "--version":
        print(VERSION)
        return 0
    if command not in COMMANDS:
        lines = [f"  {name:<12} {about}" for name, (_, about) in COMMANDS.items()]
        text = f"usage: {program} COMMAND [options]\n\n" + "\n".join(lines)
        asked = command in ("-h", "--help")
        if command and not asked:
            text = f"{program}: No such command: {command}.\n\n{text}"
        print(text, file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    module = import_module(f"beauty_evaluate.cli.{COMMANDS[command][0]}")
    before = sys.argv[0]
    sys.argv[0] = f"{program} {command}"  # the name that messages begin with
    try:
        return int(module.main(arguments[1:]))
    finally:
        sys.argv[0] = before


def add_weights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weights", metavar="NAME", help="a name in weights/, or the path of a card or its folder (default: the best)"
    )


def add_into(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--into", metavar="NAME", nargs="+", default=[],
        help="also write the results into these model cards, of networks of the same recipe: names or paths",
    )  # fmt: skip


class Counter:
    """A bar on stderr with rate and time left, where a person is watching."""

    def __init__(self, what: str) -> None:
        self.what = what
        self._bar: Any = None

    def __call__(self, done: int, total: int) -> None:
        """`done` of `total` are done."""
        if self._bar is None:
            if not sys.stderr.isatty():
                return
            from tqdm import tqdm  # late: scripts do without

            self._bar = tqdm(desc=self.what, total=total, file=sys.stderr, dynamic_ncols=True)
        self._bar.total = total
        self._bar.update(done - self._bar.n)
        if done >= total:
            self._bar.close()
            self._bar = None

    def clear(self) -> None:
        """Take the bar away: something else will be printed."""
        if self._bar is not None:
            self._bar.clear()


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

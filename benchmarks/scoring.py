"""How fast photos are scored: ours, the article's way, and the limit that the bare parts set. Writes scoring.md.

python benchmarks/scoring.py --data SCUT-FBP5500 --wild MEBeauty [--n 2000] [--calls 15]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import cv2
import numpy as np

from beauty_evaluate import images
from beauty_evaluate.datasets.registry import read as read_data_set
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.faces import detect
from beauty_evaluate.raters import runtime
from beauty_evaluate.raters.network import NetworkRater, network_of
from beauty_evaluate.scoring import batch
from beauty_evaluate.scoring import scorer as scoring

PORTRAIT = HERE.parent / "examples" / "grace_hopper.jpg"
USE = HERE.parent / "use.py"
ARTICLE_PHOTOS = 100  # the article's way is slow: so many of the folder's photos
LIMIT_PHOTOS = 300  # on which the bare parts are timed
BATCHES = (1, 2, 4, 8, 16, 32)

ARTICLE = """
import sys, time
begin = time.perf_counter()
import cv2, numpy as np, tensorflow as tf
from beauty_evaluate.raters import registry
from beauty_evaluate.faces.align import aligned_crop
rater = registry.load(runtime="keras")
model = rater.keras_model()
detector = cv2.FaceDetectorYN.create(sys.argv[1], "", (320, 320))
first = None
for path in sys.argv[2:]:
    photo = cv2.imread(path)
    detector.setInputSize((photo.shape[1], photo.shape[0]))
    faces = detector.detect(photo)[1]
    for face in [] if faces is None else faces:
        points = np.float64(face[4:14]).reshape(5, 2)
        crop = aligned_crop(photo[:, :, ::-1], points, rater.crop_config)
        model.predict(crop[None].astype("float32"), verbose=0)
    first = first or time.perf_counter()
print(time.perf_counter() - first if len(sys.argv) > 3 else 0)
"""


def whole_process(words: Sequence[object]) -> tuple[float, float, str]:
    """Seconds from start to end, peak memory in MB, and the output of a process; CalledProcessError if it fails."""
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent), "TF_CPP_MIN_LOG_LEVEL": "3"}
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *map(str, words)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    output = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args, output)
    return time.perf_counter() - begin, usage.ru_maxrss / 1024, output


def single_calls(words: Sequence[object], calls: int) -> str:
    """Median, 95th percentile and peak memory of single calls, as cells."""
    runs = [whole_process(words)[:2] for _ in range(calls)]
    seconds = [second for second, _ in runs]
    return f"{np.median(seconds):.2f} | {np.quantile(seconds, 0.95):.2f} | {max(memory for _, memory in runs):.0f}"


class Shares:
    """Seconds of each part, summed over threads."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self.lock = threading.Lock()

    def timed(self, part: str, function: Callable[..., object]) -> Callable[..., object]:
        """The function, its time counted."""

        def call(*words: object, **named: object) -> object:
            begin = time.perf_counter()
            try:
                return function(*words, **named)
            finally:
                with self.lock:
                    self.spent[part] += time.perf_counter() - begin

        return call


@contextmanager
def counted(shares: Shares) -> Iterator[None]:
    """While it lasts, decoding, detection and the network are counted."""
    places = (
        (images, "as_picture", "decoding"),
        (scoring, "find_faces", "detection"),
        (NetworkRater, "rate", "network"),
    )
    kept = [getattr(module, name) for module, name, _ in places]
    for (module, name, part), function in zip(places, kept, strict=True):
        setattr(module, name, shares.timed(part, function))
    try:
        yield
    finally:
        for (module, name, _), function in zip(places, kept, strict=True):
            setattr(module, name, function)


def folder(paths: Sequence[str], cores: int) -> tuple[float, str]:
    """Photos a second through `scan`, and what the threads spent their time on."""
    ready, shares = scoring.Scorer(), Shares()
    list(batch.scan(ready, paths[: 2 * batch.PHOTOS_PER_TASK]))
    with counted(shares):
        begin = time.perf_counter()
        done = sum(1 for _ in batch.scan(ready, paths))
        whole = time.perf_counter() - begin
    parts = {part: seconds / (whole * cores) for part, seconds in shares.spent.items()}
    spent = ", ".join(f"{part} {share:.0%}" for part, share in parts.items())
    return done / whole, f"{spent}, the rest and waiting {1 - sum(parts.values()):.0%}"


def limit(paths: Sequence[str], cores: int) -> tuple[float, str]:
    """Photos a second if all cores did nothing but the bare parts, each timed alone on one core."""
    cv2.setNumThreads(1)
    rater = network_of(scoring.Scorer().rater, "The bare parts")
    path = rater.card.artifact("onnx")
    begin = time.perf_counter()
    photos = [images.read(one) for one in paths]
    times = {"decoding": (time.perf_counter() - begin) / len(paths)}
    crops = []
    begin = time.perf_counter()
    for photo in photos:
        try:
            crops += [face.crop(rater.crop_config) for face in detect.find_faces(photo, rater.crop_config)]
        except PhotoError:
            continue
    times["detection"] = (time.perf_counter() - begin) / len(paths)
    predictors = {
        "OpenCV": runtime.opencv_predictor(path),
        "ONNX Runtime": runtime.onnxruntime_predictor(path, threads=1),
    }
    best = {name: fastest_batch(predictor, crops, rater.config.flip_tta) for name, predictor in predictors.items()}
    fastest = min(best, key=lambda name: best[name])
    times["network"] = best[fastest][0] * len(crops) / len(paths)
    parts = ", ".join(f"{part} {1000 * seconds:.1f} ms" for part, seconds in times.items())
    parts += "; " + ", ".join(
        f"{name} {1000 * each:.1f} ms a face in batches of {n}" for name, (each, n) in best.items()
    )
    return cores / sum(times.values()), parts


def fastest_batch(predictor: runtime.PredictFn, crops: Sequence[images.Picture], flip_tta: bool) -> tuple[float, int]:
    """Seconds a face, and the size of the batch that takes the fewest."""
    results = []
    for size in BATCHES:
        chosen = (list(crops) * size)[: max(64, size)]
        begin = time.perf_counter()
        for start in range(0, len(chosen) - size + 1, size):
            runtime.predict(predictor, np.stack(chosen[start : start + size]), flip_tta)
        results.append(((time.perf_counter() - begin) / (len(chosen) // size * size), size))
    return min(results)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--wild", type=Path, required=True)
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--calls", type=int, default=15)
    parser.add_argument("--out", type=Path, default=HERE / "scoring.md")
    options = parser.parse_args()
    data, external = read_data_set(options.data), read_data_set(options.wild)
    photos = [str(sample.path) for sample in data.samples.values()]
    wild = [str(sample.path) for sample in external.samples.values()][:140]
    paths = [*sorted(np.random.default_rng(0).permutation(photos)[: options.n].tolist()), *wild]
    cores = len(os.sched_getaffinity(0))
    few = paths[:: max(1, len(paths) // ARTICLE_PHOTOS)]
    with tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write(ARTICLE)
        script.flush()
        ours = single_calls([USE, PORTRAIT], options.calls)
        theirs = single_calls([script.name, detect.YUNET, PORTRAIT], max(3, options.calls // 5))
        seconds = float(whole_process([script.name, detect.YUNET, *few])[2])
    slow = (len(few) - 1) / seconds
    rate, shares = folder(paths, cores)
    most, parts = limit(paths[:: max(1, len(paths) // LIMIT_PHOTOS)], cores)
    lines = [
        f"{len(paths)} photos, {len(paths) - len(wild)} of {data.title} and {len(wild)} of {external.title}, "
        f"{cores} cores. One photo: the whole process. Folder: without the start.",
        "",
        "| | One photo, s | 95 % of calls, s | MB | Folder, photos/s |",
        "| --- | ---: | ---: | ---: | ---: |",
        f"| `use.py` | {ours} | {rate:.1f} |",
        f"| the article's way: TensorFlow, `predict` face by face | {theirs} | {slow:.1f} |",
        f"| the limit: the bare parts, all cores | | | | {most:.1f} |",
        "",
        f"{rate / slow:.1f} times the article's way, {rate / most:.0%} of the limit. The threads' time: {shares}. The "
        f"limit, on one core a photo: {parts}.",
    ]
    text = "\n".join(lines)
    options.out.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()

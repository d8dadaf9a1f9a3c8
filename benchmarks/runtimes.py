"""Other ways to run the network, to decode and to find faces: how fast, and how far they move a score: runtimes.md.

pip install ai-edge-litert==2.3.0
python benchmarks/runtimes.py --data SCUT-FBP5500 --wild MEBeauty [--n 300] [--weights six_block_60-40]
"""

import argparse
import io
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from beauty_evaluate import images
from beauty_evaluate.cli.common import import_tensorflow
from beauty_evaluate.datasets.crops import load_crops
from beauty_evaluate.datasets.registry import read as read_data_set
from beauty_evaluate.errors import PhotoError
from beauty_evaluate.faces.detect import find_faces, main_face
from beauty_evaluate.images import Picture
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.network import NetworkRater
from beauty_evaluate.raters.runtime import PredictFn, onnxruntime_predictor, opencv_predictor, predict

BATCHES = (1, 8, 32)
ROUNDS = 5  # timings of which the median counts
LARGE = 2560  # longest side of the enlarged photos on which ways to decode are tried, as phones take them

STARTS = {
    "OpenCV": "from beauty_evaluate.raters.runtime import opencv_predictor as f; n = f(p)",
    "ONNX Runtime": "from beauty_evaluate.raters.runtime import onnxruntime_predictor as f; n = f(p)",
    "LiteRT": (
        "from ai_edge_litert.interpreter import Interpreter as I; i = I(str(p)); i.allocate_tensors();"
        "n = lambda c: (i.set_tensor(i.get_input_details()[0]['index'], c), i.invoke())"
    ),
}
START = (
    "import sys, time; from pathlib import Path; import numpy, cv2; p = Path(sys.argv[1]); t = time.perf_counter();"
    "{}; n(numpy.zeros((1, {side}, {side}, {channels}), 'f')); print(time.perf_counter() - t)"
)


def lite_forward(path: Path) -> PredictFn:
    """The network as LiteRT runs it, on one core."""
    from ai_edge_litert.interpreter import Interpreter

    net = Interpreter(str(path), num_threads=1)
    given, answer = net.get_input_details()[0]["index"], net.get_output_details()[0]["index"]
    known = [0]

    def forward(crops: NDArray[np.float32]) -> NDArray[np.float32]:
        if known[0] != len(crops):
            net.resize_tensor_input(given, crops.shape)
            net.allocate_tensors()
            known[0] = len(crops)
        net.set_tensor(given, np.ascontiguousarray(crops, np.float32))
        net.invoke()
        return np.asarray(net.get_tensor(answer), np.float32).reshape(-1)

    return forward


def timed(job: Callable[[], object]) -> float:
    """Median seconds."""
    found = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        job()
        found.append(time.perf_counter() - begin)
    return float(np.median(found))


def networks(card: Card, crops: Picture) -> list[str]:
    """Rows: start, time a pass, and the largest difference from Keras."""
    import tensorflow as tf

    rater = NetworkRater(card, "keras")
    model, theirs = rater.keras_model(), rater.predict(crops)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        lite = Path(folder) / "network.tflite"
        lite.write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
        onnx = card.artifact("onnx")
        ways: dict[str, tuple[Path, PredictFn]] = {
            "OpenCV": (onnx, opencv_predictor(onnx)),
            "ONNX Runtime": (onnx, onnxruntime_predictor(onnx, threads=1)),
            "LiteRT": (lite, lite_forward(lite)),
        }
        for name, (path, forward) in ways.items():
            code = START.format(STARTS[name], side=crops.shape[1], channels=crops.shape[3])
            begin = [
                float(subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True,
                                     cwd=HERE.parent).stdout)
                for _ in range(ROUNDS)
            ]  # fmt: skip
            each = []
            for batch in BATCHES:
                part = crops[:batch].astype(np.float32)
                each.append(f"{1000 * timed(lambda part=part, forward=forward: forward(part)) / batch:.1f}")
            off = np.abs(predict(forward, crops, card.config.flip_tta) - theirs).max()
            rows.append(f"| {name} | {1000 * np.median(begin):.0f} | {' | '.join(each)} | {off:.1e} |")
    return rows


def drafted(data: bytes, side: int) -> Picture:
    """A JPEG decoded at the smallest of 1, 1/2, 1/4, 1/8 of its size that keeps `side`."""
    with Image.open(io.BytesIO(data)) as image:
        share = side / max(image.size)  # `draft` keeps both sides that it is asked for
        image.draft("RGB", (int(image.width * share), int(image.height * share)))
        return np.asarray(image.convert("RGB"))


def photos(card: Card, contents: list[bytes]) -> list[str]:
    """Rows: milliseconds for decoding and detection, and how far the score moves, for ways to do both."""
    forward = onnxruntime_predictor(card.artifact("onnx"))
    crop = card.config.crop
    ways: dict[str, tuple[Callable[[bytes], Picture], int]] = {
        "as it is: whole picture, faces searched at 640 pixels": (images.read, 640),
        "JPEG decoded at 1/2 where 1280 pixels are left": (lambda data: drafted(data, 1280), 640),
        "JPEG decoded at 1/2 or 1/4 where 640 are left": (lambda data: drafted(data, 640), 640),
        "faces searched at 480": (images.read, 480),
        "faces searched at 320": (images.read, 320),
    }
    first: dict[int, float] = {}  # scores by the first way, from which the others' differences are taken
    rows = []
    for name, (decode, side) in ways.items():
        spent, moved = np.zeros(2), []
        for i, data in enumerate(contents):
            begin = time.perf_counter()
            photo = decode(data)
            middle = time.perf_counter()
            try:
                faces = find_faces(photo, replace(crop, detector_side=side))
            except PhotoError:
                continue
            finally:
                spent += middle - begin, time.perf_counter() - middle
            score = float(predict(forward, main_face(faces).crop(crop)[None], card.config.flip_tta)[0])
            if not rows:
                first[i] = score
            if i in first:
                moved.append(abs(score - first[i]))
        decoding, search = 1000 * spent / len(contents)
        rows.append(
            f"| {name} | {decoding:.1f} | {search:.1f} | {np.mean(moved):.3f} | {np.quantile(moved, 0.95):.3f} |"
        )
    return rows


def enlarged(path: Path) -> bytes:
    """A photo as large as phones take them."""
    photo = images.read(path)
    scale = LARGE / max(photo.shape[:2])
    large = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return bytes(cv2.imencode(".jpg", large[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--wild", type=Path, required=True)
    parser.add_argument("--n", type=int, default=300)
    parser.add_argument("--weights", default="six_block_60-40")
    options = parser.parse_args()
    import_tensorflow()
    cv2.setNumThreads(1)
    card, data = registry.load_card(options.weights), read_data_set(options.data)
    test = data.split().test
    step = max(1, len(test) // options.n)
    paths = [data.samples[name].path for name in test[::step][: options.n]]
    wild = [sample.path for sample in read_data_set(options.wild).samples.values()][: options.n // 2]
    crops = load_crops([data.samples[name] for name in test[::step][: options.n]], card.config.crop).centre
    heads = "| | decoding, ms | detection, ms | score moves by, mean | 95 % |\n| --- | ---: | ---: | ---: | ---: |"
    lines = [
        "# Ways to run the network, to decode and to find faces",
        "",
        f"`{card.name}`; made by `python benchmarks/runtimes.py --data SCUT-FBP5500 --wild MEBeauty`. Medians of "
        f"{ROUNDS}, milliseconds; one core. Start: from imported NumPy and OpenCV to "
        "the first score. A face takes two passes, one of them mirrored.",
        "",
        f"| Runtime | start | a pass, alone | in batches of {BATCHES[1]} | of {BATCHES[2]} | furthest from Keras on "
        f"{len(crops)} faces, points |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *networks(card, crops),
        "",
        f"{len(paths)} photos of SCUT-FBP5500 (350 pixels) as they are:",
        "",
        heads,
        *photos(card, [path.read_bytes() for path in paths]),
        "",
        f"{len(wild)} photos of MEBeauty as they are:",
        "",
        heads,
        *photos(card, [path.read_bytes() for path in wild]),
        "",
        f"The same, enlarged to {LARGE} pixels:",
        "",
        heads,
        *photos(card, [enlarged(path) for path in wild]),
    ]
    text = "\n".join(lines)
    (HERE / "runtimes.md").write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()

"""What one photo costs from the start of Python to the score: processor time of each step. Writes start.md.

pip install ai-edge-litert==2.3.0
python benchmarks/start.py [--calls 11]

Processor time (user and system), not wall time, so that a busy machine matters less; the median of interleaved calls,
each step in a fresh process, after those before it. Compiled files (`__pycache__`) must be there, as on a user's
machine: with PYTHONDONTWRITEBYTECODE=1 each call compiles the package anew.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
PORTRAIT = HERE.parent / "examples" / "eileen_collins.png"
STEPS = {
    "Python": "",
    "NumPy": "import numpy",
    "OpenCV": "import cv2",
    "Pillow": "import PIL.Image, PIL.JpegImagePlugin, PIL.PngImagePlugin, PIL.WebPImagePlugin, PIL.AvifImagePlugin",
    "the package": "import beauty_evaluate.cli.use, beauty_evaluate.scoring.scorer, beauty_evaluate.scoring.job",
    "card and percentiles": "from beauty_evaluate.raters import registry; card = registry.load_card(); "
    "card.stats('labels')",
    "the hash of the network": "path = card.artifact('onnx')",
    "reading the network": "from beauty_evaluate.raters.runtime import opencv_predictor, predict; "
    "predictor = opencv_predictor(path)",
    "decoding the photo": f"from beauty_evaluate import images; photo = images.read({str(PORTRAIT)!r})",
    "the detector's start": "from beauty_evaluate.faces import detector; detector._detector()",
    "finding the face": "from beauty_evaluate.faces.detect import find_faces; "
    "faces = find_faces(photo, card.config.crop)",
    "the first score": "crops = [face.crop(card.config.crop) for face in faces]; predict(predictor, crops, True)",
    "a second score, for comparison": "predict(predictor, crops, True)",
}
NOTE = (
    "LiteRT (Apache-2.0, 59 MB installed, and five packages that are not needed otherwise) has its first score 90 ms "
    "sooner than OpenCV: `benchmarks/runtimes.md`. In `use.py` OpenCV reads the network beside decoding, so less of "
    "that would be gained, and each network would need a second file and hash. It is not used. Python, NumPy, OpenCV "
    "and Pillow alone take half of a call. Imports (`python -X importtime use.py PHOTO`, least of 7 calls): of 376 ms "
    "OpenCV's library takes 100; nothing of `email`, `http`, `ssl`, `zoneinfo` or `importlib.metadata` is "
    "loaded; `numpy._typing`, `inspect`, `logging` and `fractions` come with NumPy, `dataclasses` and Pillow. What is "
    "left of ours is 35 dataclasses, whose methods Python writes when they are imported: 39 ms of 314 after NumPy, "
    "OpenCV and Pillow. They stay."
)
TRIED = {  # beside NumPy alone: settings, and what is imported too
    "NumPy, its OpenBLAS on one thread": ({"OPENBLAS_NUM_THREADS": "1"}, "import numpy"),
    "the import of LiteRT": ({}, "import ai_edge_litert.interpreter"),
}


def processor_time(code: str, **settings: str) -> list[float]:
    """Milliseconds that a fresh process has used after each step. settings: of its environment."""
    laps = "\n".join(f"{step}\nlaps.append(time.process_time())" for step in code.split("\n"))
    script = f"import time\nlaps = []\n{laps}\nprint(*laps)"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"} | settings
    words = [sys.executable, "-c", script]
    output = subprocess.run(words, env=environment, cwd=HERE.parent, check=True, capture_output=True, text=True).stdout
    return [1000 * float(lap) for lap in output.split()]


def tried(calls: int) -> Iterator[str]:
    """What other ways to start add to NumPy alone: medians over pairs of processes, every other pair turned round."""
    for name, (settings, code) in TRIED.items():
        ways = [("import numpy", {}), (f"import numpy\n{code}", settings)]
        added = []
        for i in range(calls):
            ends = {code: processor_time(code, **given)[-1] for code, given in ways[:: 1 if i % 2 else -1]}
            added.append(ends[ways[1][0]] - ends[ways[0][0]])
        yield f"| {name} | {median(added):+.0f} |"


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=11)
    parser.add_argument("--out", type=Path, default=HERE / "start.md")
    options = parser.parse_args()
    code = "\n".join(step or "pass" for step in STEPS.values())
    processor_time(code)  # compiles, and brings the files into the cache
    calls = [processor_time(code) for _ in range(options.calls)]
    steps = [[b - a for a, b in zip([0.0, *call], call, strict=False)] for call in calls]
    lines = [
        f"One photo, step by step: processor time, medians of {options.calls} processes; made by "
        "`python benchmarks/start.py`. In `use.py` the hash and the reading of the network run beside decoding and "
        "finding the face.",
        "",
        "| Step | ms | share |",
        "| --- | ---: | ---: |",
    ]
    times = [median(step) for step in zip(*steps, strict=True)]
    whole = sum(times[:-1])
    lines += [f"| {name} | {ms:.0f} | {ms / whole:.0%} |" for name, ms in zip(STEPS, times, strict=True)]
    lines += [f"| all but the last | {whole:.0f} | |"]
    lines += ["", f"Tried, milliseconds beside NumPy alone, medians over {options.calls} pairs of processes:", ""]
    lines += ["| | ms |", "| --- | ---: |", *tried(options.calls), "", NOTE]
    text = "\n".join(lines)
    options.out.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()

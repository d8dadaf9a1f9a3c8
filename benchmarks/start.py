"""What one photo costs from the start of Python to the score: processor time of each step. Writes start.md.

python benchmarks/start.py [--calls 11]

Processor time (user and system), not wall time, so that a busy machine matters less; the median of interleaved calls,
each step in a fresh process, after those before it. Compiled files (`__pycache__`) must be there, as on a user's
machine: with PYTHONDONTWRITEBYTECODE=1 each call compiles the package anew.
"""

import argparse
import os
import subprocess
import sys
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


def processor_time(code: str) -> list[float]:
    """Milliseconds that a fresh process has used after each step."""
    laps = "\n".join(f"{step}\nlaps.append(time.process_time())" for step in code.split("\n"))
    script = f"import time\nlaps = []\n{laps}\nprint(*laps)"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    words = [sys.executable, "-c", script]
    output = subprocess.run(words, env=environment, cwd=HERE.parent, check=True, capture_output=True, text=True).stdout
    return [1000 * float(lap) for lap in output.split()]


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
    text = "\n".join(lines)
    options.out.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()

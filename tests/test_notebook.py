"""The worked example: its code runs from top to bottom, as a person runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

NOTEBOOK = ROOT / "examples" / "tour.ipynb"


def test_the_notebook_runs(tmp_path: Path) -> None:
    cells = json.loads(NOTEBOOK.read_text())["cells"]
    assert all(not cell["outputs"] for cell in cells if cell["cell_type"] == "code")
    script = tmp_path / "tour.py"
    script.write_text("\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, script], cwd=NOTEBOOK.parent, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("grace_hopper.jpg: 2")
    assert "Expected a JPEG" in lines[2]
    assert "True" in lines
    assert "missing.jpg,0,0,missing" in done.stdout
    assert lines[-1].startswith("block6_conv2 (4, 4, 384)")

"""The program that takes pictures of the page ends, and says why, when a part of it fails."""

import sys
from pathlib import Path

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

import screenshots  # type: ignore[import-not-found]


def fake(folder: Path, script: str) -> str:
    """A program in the browser's place."""
    path = folder / "browser"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_a_browser_that_ends_at_once_is_a_clear_failure(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = fake(tmp_path, "exit 3")
    assert screenshots.main([str(tmp_path / "out"), "--browser", path]) == 1
    assert f"screenshots: The browser {path} did not start" in capfd.readouterr().err


def test_a_browser_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    path = fake(tmp_path, "exec tail -f /dev/null")
    with pytest.raises(screenshots.Failed, match="did not start"), screenshots.browser(path, seconds=0.5):
        pass


def test_a_server_ends_with_the_browser_that_broke() -> None:
    command = [sys.executable, "-c", "import signal; print('http://localhost/', flush=True); signal.pause()"]
    with pytest.raises(ZeroDivisionError), screenshots.server(command):
        raise ZeroDivisionError


@pytest.mark.parametrize("code", ["pass", "import signal; signal.pause()"], ids=["ends", "says nothing"])
def test_a_server_without_an_address_is_given_up(code: str) -> None:
    command = [sys.executable, "-c", code]
    with pytest.raises(screenshots.Failed, match="no address"), screenshots.server(command, seconds=0.5):
        pass

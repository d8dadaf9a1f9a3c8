"""Pictures of the page in all its states, in three widths, light and dark, to be looked at; the one that opens README.

python benchmarks/screenshots.py OUT [--browser /usr/bin/chromium]
"""

import argparse
import selectors
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Error, Page, ViewportSize, expect, sync_playwright

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
EXAMPLES = ROOT / "examples"
CHROMIUM = "/usr/bin/chromium"
SIZES: dict[str, ViewportSize] = {
    "wide": {"width": 1100, "height": 800},
    "middle": {"width": 768, "height": 900},
    "narrow": {"width": 360, "height": 740},
}
COLOURS: tuple[Literal["light", "dark"], ...] = ("light", "dark")
START_SECONDS = 60.0  # in which the server and the browser have to be there, each
STOP_SECONDS = 10.0  # in which the server has to end
ANSWER_SECONDS = 240.0  # for a score or an explanation, on a machine that does other things too


class Failed(Exception):
    """The server or the browser did not do its part."""


@contextmanager
def server(command: list[str], seconds: float = START_SECONDS) -> Iterator[str]:
    """A running server: the address in its first line. It is ended whatever happens.

    Args:
        command: that starts it.
        seconds: in which it has to write that line; Failed otherwise.
    """
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(process.stdout, selectors.EVENT_READ)
                line = process.stdout.readline().decode().strip() if selector.select(seconds) else ""
            if not line:
                raise Failed(f"The server wrote no address within {seconds:g} s: {' '.join(command)}")
            yield line
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


@contextmanager
def browser(path: str, seconds: float = START_SECONDS) -> Iterator[Browser]:
    """A running browser.

    Args:
        path: of the program.
        seconds: in which it has to be there; Failed otherwise, or where it ends at once.
    """
    with sync_playwright() as play:
        try:
            program = play.chromium.launch(executable_path=path, args=["--no-sandbox"], timeout=1000 * seconds)
        except Error as error:
            reason = error.message.splitlines()[0]
            raise Failed(f"The browser {path} did not start: {reason} `make test-web` installs Chromium.") from error
        try:
            yield program
        finally:
            program.close()


def several(out: Path) -> Path:
    """Both portraits beside each other."""
    faces = [Image.open(path).convert("RGB") for path in sorted(EXAMPLES.glob("*.[jp][pn]g"))]
    faces = [face.resize((round(face.width * 420 / face.height), 420)) for face in faces]
    photo = Image.new("RGB", (sum(face.width for face in faces), 420))
    photo.paste(faces[0], (0, 0))
    photo.paste(faces[1], (faces[0].width, 0))
    photo.save(out / "two portraits.jpg")
    return out / "two portraits.jpg"


def shoot(page: Page, out: Path, state: str) -> None:
    """The whole page as pictures: in all sizes, in light and in dark colours."""
    page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
    for size, viewport in SIZES.items():
        page.set_viewport_size(viewport)
        for colours in COLOURS:
            page.emulate_media(color_scheme=colours)
            page.screenshot(path=out / f"{state}_{size}_{colours}.png", full_page=True)
    page.set_viewport_size(SIZES["wide"])
    page.emulate_media(color_scheme=COLOURS[0])


def states(page: Page, out: Path) -> None:
    """Save pictures of each state."""
    grace, eileen = EXAMPLES / "grace_hopper.jpg", EXAMPLES / "eileen_collins.png"
    broken = out / "broken.jpg"
    broken.write_bytes(grace.read_bytes()[:30_000])

    def choose(*photos: Path) -> None:
        page.set_input_files("#photo", photos)
        expect(page.locator(".card", has_text=photos[-1].name).first).to_be_visible(timeout=1000 * ANSWER_SECONDS)
        page.wait_for_load_state("networkidle")  # the results are drawn again once all photos are there

    shoot(page, out, "empty")
    choose(eileen)
    page.locator("button.why").first.click()
    page.wait_for_selector(".because table", timeout=1000 * ANSWER_SECONDS)
    shoot(page, out, "one")
    page.locator(".card").screenshot(path=out / "card.png")
    page.locator("#language").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh")
    expect(page.locator(".because h4")).to_have_text("哪些部分影响了分数")
    shoot(page, out, "one_chinese")
    page.locator("#language").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    for name, photos in (("several", [several(out)]), ("compared", [grace, eileen]), ("wrong", [broken])):
        choose(*photos)
        shoot(page, out, name)


def take(program: Browser, address: str, out: Path) -> None:
    """All pictures."""
    page = program.new_page(viewport=SIZES["wide"], locale="en-GB")
    page.goto(address)
    states(page, out)
    for path in ("docs", "guide"):
        page.goto(f"{address}{path}")
        shoot(page, out, path)


def main(argv: list[str] | None = None) -> int:
    """Start a browser and the server, and take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--browser", default=CHROMIUM)
    options = parser.parse_args(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "beauty_evaluate", "serve", "--port", "0"]
    try:
        with browser(options.browser) as program, server(command) as address:
            take(program, address, options.out)
    except (Failed, Error, AssertionError) as error:
        print(f"screenshots: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

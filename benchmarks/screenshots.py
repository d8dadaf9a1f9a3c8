"""Pictures of the page in all its states, wide and narrow, to be looked at; and the one that opens README.

python benchmarks/screenshots.py OUT
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
EXAMPLES = ROOT / "examples"
SIZES = {"wide": {"width": 1100, "height": 800}, "narrow": {"width": 360, "height": 740}}
PATIENT = 240_000  # ms

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright


def several(out: Path) -> Path:
    """Both portraits beside each other."""
    faces = [Image.open(path).convert("RGB") for path in sorted(EXAMPLES.glob("*.[jp][pn]g"))]
    faces = [face.resize((round(face.width * 420 / face.height), 420)) for face in faces]
    photo = Image.new("RGB", (sum(face.width for face in faces), 420))
    photo.paste(faces[0], (0, 0))
    photo.paste(faces[1], (faces[0].width, 0))
    photo.save(out / "two portraits.jpg")
    return out / "two portraits.jpg"


def states(page: Page, out: Path, size: str) -> None:
    """Save one picture of each state."""
    grace, eileen = EXAMPLES / "grace_hopper.jpg", EXAMPLES / "eileen_collins.png"
    broken = out / "broken.jpg"
    broken.write_bytes(grace.read_bytes()[:30_000])

    def shoot(name: str, *photos: Path, explained: bool = False) -> None:
        if photos:
            page.set_input_files("#photo", photos)
            expect(page.locator(".card", has_text=photos[-1].name).first).to_be_visible(timeout=PATIENT)
        if explained:
            page.locator("button.why").first.click()
            page.wait_for_selector(".because table", timeout=PATIENT)
        page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
        page.screenshot(path=out / f"{size}_{name}.png", full_page=True)

    shoot("empty")
    shoot("one", eileen, explained=True)
    if size == "wide":
        page.locator(".card").screenshot(path=out / "card.png")
    shoot("several", several(out))
    shoot("compared", grace, eileen)
    shoot("wrong", broken)


def main() -> None:
    """Start the server and a browser, and take all pictures."""
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "beauty_evaluate", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server, sync_playwright() as play:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        browser: Browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for size, viewport in SIZES.items():
            page = browser.new_page(viewport=viewport, locale="en-GB")
            page.goto(address)
            states(page, out, size)
        page = browser.new_page(viewport=SIZES["wide"], locale="zh-CN")
        page.goto(address)
        page.screenshot(path=out / "wide_chinese.png", full_page=True)
        browser.close()
        server.terminate()


if __name__ == "__main__":
    main()

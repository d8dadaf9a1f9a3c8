"""The page in a real browser: Chromium of the distribution, driven by Playwright. `make test-web`."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import FAR_APART, PORTRAIT, PORTRAIT_PNG, ROOT
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright, Request, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1200, "height": 900}
PATIENT = 120_000  # ms: an explanation on a machine that does other things too
QUIET = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="session")
def camera_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the camera sees: the portrait, as motion JPEG."""
    film = tmp_path_factory.mktemp("film") / "portrait.mjpeg"
    frame = film.with_suffix(".jpg")
    Image.open(PORTRAIT).convert("RGB").resize((480, 640)).save(frame)
    film.write_bytes(frame.read_bytes() * 3)
    return film


@pytest.fixture(scope="module")
def browser(camera_film: Path) -> Iterator[Browser]:
    fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    fake.append(f"--use-file-for-fake-video-capture={camera_film}")
    with sync_playwright() as playwright:
        browser = launched(playwright, fake)
        yield browser
        browser.close()


def launched(playwright: Playwright, flags: list[str]) -> Browser:
    return playwright.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, *flags])


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Of a running server."""
    command = [sys.executable, "-m", "beauty_evaluate", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page on a desktop; afterwards, nothing it asked for lay elsewhere, and nothing went wrong in it."""
    yield from opened(browser, address)


@pytest.fixture
def phone(browser: Browser, address: str) -> Iterator[Page]:
    yield from opened(browser, address, viewport=PHONE, has_touch=True, is_mobile=True)


def opened(browser: Browser, address: str, **options: Any) -> Iterator[Page]:
    context = browser.new_context(**{"locale": "en-GB", "viewport": DESK, "permissions": ["camera"], **options})
    asked: list[str] = []
    wrong: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if "Content Security" in message.text else None)
    page.goto(address)
    yield page
    context.close()
    assert asked
    assert [url for url in asked if not url.startswith((address, "blob:", "data:"))] == []
    assert wrong == []


def choose(page: Page, *photos: Path) -> None:
    page.set_input_files("#photo", list(photos))


def score(page: Page, card: int = 0) -> float:
    words = page.locator(".card .score").nth(card).inner_text(timeout=PATIENT)
    return float(words.split()[0])


def accessible(page: Page) -> None:
    """No serious finding of axe-core."""
    found = Axe().run(page).response["violations"]
    bad = [(item["id"], [node["html"] for node in item["nodes"]]) for item in found]
    grave = {item["id"] for item in found if item["impact"] in ("serious", "critical")}
    assert [item for item in bad if item[0] in grave] == []


def fits(page: Page) -> None:
    """Nothing sticks out at the side."""
    assert page.evaluate("document.scrollingElement.scrollWidth") <= page.evaluate("innerWidth")


def several_faces(folder: Path, count: int = 3) -> Path:
    face = Image.open(PORTRAIT).convert("RGB").crop((130, 60, 410, 400))
    photo = Image.new("RGB", (300 * count, 380), "white")
    for i in range(count):
        photo.paste(face, (300 * i + 10, 20))
    path = folder / "group.jpg"
    photo.save(path)
    return path


def test_a_dropped_photo_is_scored_and_explained(page: Page) -> None:
    content = base64.b64encode(PORTRAIT.read_bytes()).decode()
    page.evaluate(
        """(content) => {
            const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0)), data = new DataTransfer();
            data.items.add(new File([bytes], "grace.jpg", { type: "image/jpeg" }));
            const drop = document.getElementById("drop");
            for (const kind of ["dragenter", "dragover", "drop"])
                drop.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
        }""",
        content,
    )
    assert 1 < score(page) < 5
    expect(page.locator(".card h3")).to_have_text("grace.jpg")
    page.get_by_role("button", name="Why this score?").click()
    expect(page.locator(".because progress")).to_be_visible()
    expect(page.locator(".because table tbody tr")).to_have_count(10, timeout=PATIENT)
    points = [float(text) for text in page.locator(".because tbody td:last-child").all_inner_texts()]
    assert points == sorted(points, reverse=True)
    before, after = map(float, re.findall(r"(\d\.\d\d)", page.locator(".because .note").first.inner_text()))
    assert before + sum(points) == pytest.approx(after, abs=0.06)  # ten figures with two digits
    accessible(page)
    fits(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as JSON").click()
    (row,) = json.loads(Path(download.value.path()).read_text())
    assert len(row["explanation"]["regions"]) == 10
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a picture").click()
    with Image.open(download.value.path()) as picture:
        assert picture.height > 1000  # with the reasons below the face


def test_two_photos_are_compared_and_saved(page: Page, tmp_path: Path) -> None:
    choose(page, *FAR_APART)
    assert score(page, 0) > score(page, 1)
    expect(page.locator(".verdict")).to_contain_text("higher than")
    accessible(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as JSON").click()
    assert [row["status"] for row in json.loads(Path(download.value.path()).read_text())] == ["ok", "ok"]
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a picture").click()
    with Image.open(download.value.path()) as picture:
        assert picture.width > 400
    page.get_by_label("Two photos of one person").check()
    expect(page.locator(".verdict")).to_contain_text(re.compile("After|after"), timeout=PATIENT)
    expect(page.locator(".card h3").first).to_have_text("Before: 038_neutral.jpg")
    page.get_by_role("button", name="Swap before and after").click()
    expect(page.locator(".card h3").first).to_have_text("Before: 104_neutral.jpg", timeout=PATIENT)


def test_a_pasted_photo_is_scored(page: Page) -> None:
    content = base64.b64encode(PORTRAIT.read_bytes()).decode()
    page.evaluate(
        """(content) => {
            const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0)), data = new DataTransfer();
            data.items.add(new File([bytes], "pasted.jpg", { type: "image/jpeg" }));
            document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
        }""",
        content,
    )
    assert 1 < score(page) < 5


def test_the_camera_is_asked_for_only_when_its_button_is_pressed(page: Page) -> None:
    page.evaluate("""() => {
        const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        window.asked = 0;
        navigator.mediaDevices.getUserMedia = (wanted) => { window.asked += 1; return ask(wanted); };
    }""")
    choose(page, PORTRAIT_PNG)
    score(page)
    assert page.evaluate("window.asked") == 0
    page.get_by_role("button", name="Use the camera").click()
    expect(page.locator("#view")).not_to_have_js_property("videoWidth", 0)
    assert page.evaluate("window.asked") == 1
    page.get_by_role("button", name="Take the picture").click()
    expect(page.locator(".card h3")).to_have_text("camera.jpg", timeout=PATIENT)
    assert 1 < score(page) < 5
    expect(page.locator("#shot")).to_be_hidden()
    assert page.evaluate("document.getElementById('view').srcObject") is None


def test_several_faces_can_be_picked(page: Page, tmp_path: Path) -> None:
    choose(page, several_faces(tmp_path))
    expect(page.locator(".card")).to_have_count(3, timeout=PATIENT)
    page.get_by_role("button", name="Face 2 of 3").click()
    expect(page.locator(".card:visible")).to_have_count(1)
    expect(page.locator(".card:visible h3")).to_contain_text("Face 2 of 3")
    accessible(page)
    page.get_by_role("button", name="All faces").click()
    expect(page.locator(".card:visible")).to_have_count(3)
    fits(page)


def test_language_follows_the_browser_and_the_link(browser: Browser, address: str) -> None:
    sent: list[Request] = []
    for page in opened(browser, address, locale="zh-CN"):
        expect(page.locator("h1")).to_have_text("人脸评分")
        page.get_by_role("link", name="English").click()
        expect(page.locator("h1")).to_have_text("Rate a face")
        page.get_by_role("button", name="Try a sample portrait").click()
        points = score(page)
        page.on("request", lambda request: sent.append(request))
        page.get_by_role("link", name="中文").click()
        expect(page.locator(".card")).to_contain_text("张已评分人脸中的")
        assert score(page) == points
        assert page.locator(".crop").evaluate("image => image.complete && image.naturalWidth > 0")
        assert not [request for request in sent if "/fragment/score" in request.url]  # no photo was sent again
        accessible(page)


def test_many_photos_go_in_parts_and_more_are_added(page: Page, tmp_path: Path) -> None:
    photos = [tmp_path / f"{i:02}.png" for i in range(13)]
    for path in photos:
        Image.new("RGB", (80, 80), "white").save(path)
    page.evaluate("""() => {
        window.seen = [];
        new MutationObserver(() => window.seen.push(document.getElementById("status").textContent))
            .observe(document.getElementById("status"), { childList: true });
    }""")
    choose(page, *photos)
    expect(page.locator(".card")).to_have_count(13, timeout=PATIENT)
    assert "4 of 13 photos scored" in page.evaluate("window.seen")
    expect(page.locator("#save-json")).to_have_count(0)  # nothing to save
    page.set_input_files("#more", PORTRAIT)
    expect(page.locator(".card")).to_have_count(14, timeout=PATIENT)
    expect(page.locator(".card h3").first).to_have_text("1. grace_hopper.jpg")


def test_dark_colours_and_the_guide_are_accessible(browser: Browser, address: str) -> None:
    for page in opened(browser, address, color_scheme="dark", viewport=PHONE):
        page.get_by_role("button", name="Try a sample portrait").click()
        score(page)
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(22, 24, 28)"
        accessible(page)
        fits(page)
        page.locator("nav").get_by_role("link", name="How to read this").click()
        expect(page.locator("h1")).to_have_text("How to read this")
        accessible(page)
        fits(page)


def test_what_cannot_be_scored_is_said(page: Page, tmp_path: Path) -> None:
    text = tmp_path / "not a photo.jpg"
    text.write_text("just text")
    choose(page, text)
    expect(page.locator(".card .warn")).to_contain_text("not a supported picture", timeout=PATIENT)
    accessible(page)
    large = tmp_path / "large.png"
    large.write_bytes(bytes(40 << 20))
    choose(page, large)
    expect(page.locator("#mistake")).to_contain_text("too large")
    choose(page, PORTRAIT)
    assert 1 < score(page) < 5
    expect(page.locator("#mistake")).to_be_empty()


def test_a_refused_photo_leaves_what_is_shown_as_it_was(page: Page, tmp_path: Path) -> None:
    choose(page, PORTRAIT)
    score(page)
    large = tmp_path / "large.png"
    large.write_bytes(bytes(40 << 20))
    choose(page, large)
    expect(page.locator("#mistake")).to_contain_text("too large")
    page.evaluate("""() => {
        const ask = window.fetch;
        window.sent = [];
        window.fetch = (address, options) => {
            window.sent.push(options.body.get("photo").name);
            return ask(address, options);
        };
    }""")
    with page.expect_request("**/fragment/why*"):
        page.get_by_role("button", name="Why this score?").click()
    assert page.evaluate("window.sent") == ["grace_hopper.jpg"]


def test_docs_fit_and_are_accessible(page: Page, phone: Page, address: str) -> None:
    for narrow_or_wide in (page, phone):
        narrow_or_wide.goto(f"{address}docs")
        expect(narrow_or_wide.locator("h2").first).to_have_text("POST /api/score")
        fits(narrow_or_wide)
        accessible(narrow_or_wide)


def test_keyboard_alone_suffices(page: Page) -> None:
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.pathname"))
    assert reached == ["/guide", "language", "photo", "camera", "sample", "pair"]
    choose(page, PORTRAIT)  # what the dialogue of the focused field would do
    score(page)
    expect(page.locator("#results")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Why this score?"
    page.keyboard.press("Enter")
    expect(page.locator(".because progress")).to_be_visible()
    expect(page.locator("#status")).to_have_text("Explaining the score")
    expect(page.locator(".because h4")).to_be_focused(timeout=PATIENT)


def test_a_phone_shows_all_of_it(phone: Page, tmp_path: Path) -> None:
    fits(phone)
    choose(phone, PORTRAIT, PORTRAIT_PNG)
    score(phone)
    fits(phone)
    phone.get_by_role("button", name="Why this score?").first.tap()
    expect(phone.locator(".because table")).to_be_visible(timeout=PATIENT)
    fits(phone)
    accessible(phone)
    choose(phone, several_faces(tmp_path))
    expect(phone.locator(".card")).to_have_count(3, timeout=PATIENT)
    fits(phone)


def test_without_scripts_a_photo_is_scored(browser: Browser, address: str) -> None:
    for page in opened(browser, address, java_script_enabled=False):
        choose(page, PORTRAIT)
        page.get_by_role("button", name="Score").click()
        assert 1 < score(page) < 5
        expect(page.get_by_role("button", name="Why this score?")).to_have_count(0)

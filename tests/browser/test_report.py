"""The ranked page in a real browser, opened as a file: it sorts and filters itself, and its links lead to photos."""

import io
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright
from test_page import DESK, PHONE, launched

from beauty_evaluate.config import RatingScale
from beauty_evaluate.reporting.comparison_report import THUMBNAIL_SIDE, Pair, RankedFace, Sheet, write

FACES = (  # name, score, warnings, person
    ("b.jpg", 4.0, "", "ann"),
    ("a #1?.jpg", 3.5, "", "bob"),
    ("c.jpg", 3.0, "", ""),
    ("d.jpg", 4.8, "dark;grey", "ann"),
    ("e.jpg", 2.0, "turned", "bob"),
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launched(playwright, [])
        yield browser
        browser.close()


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """In a folder of its own, beside that of the photos."""
    jpeg = io.BytesIO()
    Image.new("RGB", (THUMBNAIL_SIDE, THUMBNAIL_SIDE), "brown").save(jpeg, "JPEG")
    for folder in ("photos", "out"):
        (tmp_path / folder).mkdir()
    faces = []
    for name, score, warnings, person in FACES:
        file = tmp_path / "photos" / name
        file.write_bytes(jpeg.getvalue())
        is_query = name == "c.jpg"
        faces.append(RankedFace(name, score, 0.4, 0.2, warnings, jpeg.getvalue(), is_query, person, str(file)))
    pairs = [Pair(faces[2], faces[1], "a pair")]
    sheet = Sheet(faces, ["<b>said</b>", "a pair"], "An estimate.", RatingScale(1, 5), 5500, pairs)
    write(tmp_path / "out" / "r.html", sheet)
    return tmp_path / "out" / "r.html"


@pytest.fixture(params=[PHONE, DESK], ids=["phone", "desk"])
def page(browser: Browser, report: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The report; afterwards, nothing it asked for lay elsewhere, and nothing went wrong in it."""
    context = browser.new_context(viewport=request.param)
    page, asked, wrong = context.new_page(), [], []
    page.on("request", lambda asked_for: asked.append(asked_for.url))
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(report.as_uri())
    yield page
    assert wrong == []
    assert [address for address in asked if not address.startswith(("data:", "file:"))] == []
    context.close()


def names(page: Page) -> list[str]:
    return [str(face.get_attribute("data-name")) for face in page.locator(".ranking li:visible").all()]


def test_faces_are_sorted(page: Page) -> None:
    assert names(page) == ["b.jpg", "a #1?.jpg", "c.jpg", "d.jpg", "e.jpg"]  # doubtful ones last
    page.locator("#sort").select_option("name")
    assert names(page) == ["a #1?.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"]
    page.locator("#sort").select_option("reverse")
    assert names(page) == ["c.jpg", "a #1?.jpg", "b.jpg", "e.jpg", "d.jpg"]
    page.locator("#sort").select_option("person")
    assert names(page) == ["b.jpg", "a #1?.jpg", "c.jpg", "d.jpg", "e.jpg"]


def test_faces_are_filtered_by_score_warning_and_person(page: Page) -> None:
    count = page.locator("#count")
    page.locator("#warning").select_option("none")
    assert names(page) == ["b.jpg", "a #1?.jpg", "c.jpg"]
    expect(page.get_by_role("heading", name="Doubtful")).to_be_hidden()
    page.locator("#warning").select_option("grey")
    assert names(page) == ["d.jpg"]
    expect(count).to_have_text("1 of 5 faces")
    page.locator("#warning").select_option("all")
    page.locator("#person").select_option("bob")
    assert names(page) == ["a #1?.jpg", "e.jpg"]
    page.locator("#from").fill("2.5")
    assert names(page) == ["a #1?.jpg"]
    page.locator("#to").fill("3.4")
    assert names(page) == []
    page.locator("#to").press("Enter")  # sends nothing
    expect(count).to_have_text("0 of 5 faces")


def test_what_filters_stays_in_its_frame(page: Page) -> None:
    page.locator("#warning").evaluate("list => list.add(new Option('the photo is unlike those it learnt from'))")
    frame = page.locator("form").bounding_box()
    assert frame
    for field in page.locator("form input, form select").all():
        box = field.bounding_box()
        assert box
        assert box["x"] + box["width"] <= frame["x"] + frame["width"]


def test_links_lead_to_the_photos_and_to_ones_own_face(page: Page) -> None:
    hrefs = {str(link.get_attribute("href")) for link in page.locator("li a").all()}
    assert hrefs == {"../photos/a%20%231%3F.jpg", *(f"../photos/{name}.jpg" for name in "bcde")}
    page.locator("nav a", has_text="c.jpg").click()
    expect(page.locator("#face-3")).to_be_in_viewport()
    with page.expect_navigation():
        page.locator(".ranking a", has_text="a #1?.jpg").click()
    assert Path(unquote(urlparse(page.url).path)).name == "a #1?.jpg"


def test_before_and_after_stand_side_by_side_in_their_order(page: Page) -> None:
    before, after = page.locator(".pair li").all()
    assert (before.get_attribute("data-name"), after.get_attribute("data-name")) == ("c.jpg", "a #1?.jpg")
    boxes = before.bounding_box(), after.bounding_box()
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["y"] == boxes[1]["y"]
    assert boxes[0]["x"] < boxes[1]["x"]
    expect(page.get_by_text("a pair")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_can_be_read_by_all(browser: Browser, report: Path, scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(report.as_uri())
    assert Axe().run(page).response["violations"] == []
    page.close()


def test_without_scripts_it_is_a_page_to_read(browser: Browser, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    expect(page.locator(".ranking li")).to_have_count(len(FACES))
    expect(page.locator("#controls")).to_be_hidden()
    expect(page.get_by_text("<b>said</b>")).to_be_visible()
    expect(page.get_by_text("fewer than 1 % of 5500 rated faces score lower").first).to_be_visible()
    context.close()

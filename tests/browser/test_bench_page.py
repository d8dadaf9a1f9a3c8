"""The page of a bench in a real browser, opened as a file: its columns sort, and it asks for nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from drawn_raters import add_family, drawn_card
from playwright.sync_api import Browser, Page, expect, sync_playwright
from test_page import DESK, launched

from beauty_evaluate.datasets import synthetic
from beauty_evaluate.evaluation.bench import BenchJob, bench
from beauty_evaluate.reporting.bench_report import write_bench_report


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launched(playwright, [])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a bench on 40 drawn faces, where eyes tell more than the jaw."""
    folder, data = tmp_path_factory.mktemp("bench"), synthetic.draw(200)
    with pytest.MonkeyPatch.context() as patch:
        add_family(patch)
        cards = tuple(str(drawn_card(folder, part).path) for part in ("jaw", "eyes"))
        result = bench(BenchJob(cards, (data,), folder / "b", pairs=(("eyes", "jaw"),), command="<b>made</b>"))
    return write_bench_report(result, (data,), folder / "b")[1]


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    """The page; afterwards, nothing it asked for lay elsewhere, and nothing went wrong in it."""
    context = browser.new_context(viewport=DESK)  # type: ignore[arg-type]
    page, asked, wrong = context.new_page(), [], []
    page.on("request", lambda asked_for: asked.append(asked_for.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(report.as_uri())
    yield page
    assert wrong == []
    assert [address for address in asked if not address.startswith(("data:", "file:"))] == []
    context.close()


def raters(page: Page) -> list[str]:
    return page.locator("table").first.locator("tbody td:first-child").all_inner_texts()


def test_columns_sort_either_way_and_empty_cells_come_last(page: Page) -> None:
    constant = "mean baseline: predict the training mean"
    assert raters(page) == [constant, "jaw", "eyes"]  # worst first, as it is written
    heads = page.locator("table").first.locator("th")
    title = heads.filter(has_text="PC")  # an arrow is added to its name
    title.get_by_role("button").click()
    assert raters(page) == ["eyes", "jaw", constant]
    expect(title).to_have_attribute("aria-sort", "descending")
    title.get_by_role("button").click()
    assert raters(page) == ["jaw", "eyes", constant]
    expect(title).to_have_attribute("aria-sort", "ascending")
    name = heads.filter(has_text="Rater")
    name.get_by_role("button").press("Enter")
    assert raters(page) == [constant, "jaw", "eyes"]
    expect(title).not_to_have_attribute("aria-sort", "ascending")
    assert page.locator("table").nth(1).locator("[aria-sort]").count() == 0  # tables sort one by one


def test_it_can_be_read_by_all_and_without_scripts(browser: Browser, report: Path) -> None:
    page = browser.new_page()
    page.goto(report.as_uri())
    assert Axe().run(page).response["violations"] == []
    page.close()
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    expect(page.get_by_text("<b>made</b>")).to_be_visible()
    expect(page.locator("#hint")).to_be_hidden()
    assert raters(page)[1:] == ["jaw", "eyes"]
    context.close()

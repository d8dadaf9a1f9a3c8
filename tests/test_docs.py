"""The documents: links lead somewhere, versions agree, examples are Python. `make docs` builds them, strictly."""

import contextlib
import datetime
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import yaml
from conftest import ROOT

import beauty_evaluate
from beauty_evaluate.cli.common import COMMANDS, main
from beauty_evaluate.datasets import registry as readers
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.raters import registry as raters
from beauty_evaluate.raters.card import Card

DOCS = ROOT / "docs"
PAGES = sorted(
    [*DOCS.rglob("*.md"), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "SECURITY.md"))]
)
LINK = re.compile(r"\]\(<?([^)\s>]+)>?\)")
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def _title(page: Path) -> str:
    return str(page.relative_to(ROOT))


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and MyST make them."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ +(.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def _broken_links(page: Path) -> list[str]:
    """The links of a page that lead nowhere; those to other sites and to pages that Sphinx makes are not followed."""
    broken = []
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link) or path.startswith("api/") or "/api/" in path:
            continue
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=_title)
def test_every_internal_link_leads_somewhere(page: Path) -> None:
    assert _broken_links(page) == []


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A heading\n[a](#a-heading) [b](#b) [c](c.md) [d](https://example.org/)\n")
    assert _broken_links(page) == ["#b", "c.md"]


@pytest.mark.parametrize("page", PAGES, ids=_title)
def test_python_in_documents_is_python(page: Path) -> None:
    for language, code in FENCE.findall(page.read_text(encoding="utf-8")):
        if language == "python":
            compile(code, _title(page), "exec")


def test_every_page_is_in_the_contents() -> None:
    listed = set()
    for page in DOCS.rglob("*.md"):
        for language, block in FENCE.findall(page.read_text(encoding="utf-8")):
            if language == "{toctree}":
                listed |= {line for line in block.splitlines() if line and not line.startswith((":", "api/"))}
    pages = {str(page.relative_to(DOCS).with_suffix("")) for page in DOCS.rglob("*.md")}
    assert listed == pages - {"index"}


def test_every_package_is_in_the_api_reference() -> None:
    text = (DOCS / "reference.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in (ROOT / "beauty_evaluate").glob("*/__init__.py")} - {"cli"}
    assert set(re.findall(r"\(api/beauty_evaluate/(\w+)/index\.rst\)", text)) == packages


def test_citation_is_whole_and_names_this_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == beauty_evaluate.__version__
    datetime.date.fromisoformat(citation["date-released"])
    assert {"message", "title", "type", "license"} <= set(citation)
    for work in (citation, *citation["references"]):
        assert work["title"]
        assert all("name" in author or "family-names" in author for author in work["authors"])
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert all(name in text for name in ("1801.06345", "MEBeauty", "figshare.5047666"))


def test_the_changelog_begins_with_this_version() -> None:
    versions = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert versions[0] == beauty_evaluate.__version__
    assert versions == sorted(versions, key=lambda version: [int(n) for n in version.split(".")], reverse=True)


def test_every_flag_that_is_shown_exists(capsys: pytest.CaptureFixture[str]) -> None:
    """Our commands in the code blocks of README and guides, flag by flag; `FILE.py --flag` of tools is their own."""
    flags = set()
    for command in COMMANDS:
        with contextlib.suppress(SystemExit):
            main([command, "--help"])
        flags |= set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out))
    ours = re.compile(r"(use|train|visualize)\.py|beauty[_-]evaluate")
    wrong = {
        f"{_title(page)}: {flag}"
        for page in PAGES
        for language, code in FENCE.findall(page.read_text(encoding="utf-8"))
        if language == "sh"
        for line in code.splitlines()
        if ours.search(line)
        for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]+", line.partition("#")[0])
        if flag not in flags
    }
    assert wrong == set()


def test_the_reader_and_the_rater_of_contributing_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As somebody who follows the page would: two files, two rows."""
    blocks = [code for language, code in FENCE.findall((ROOT / "CONTRIBUTING.md").read_text()) if language == "python"]
    monkeypatch.setattr(readers, "READERS", dict(readers.READERS))
    monkeypatch.setattr(raters, "FAMILIES", dict(raters.FAMILIES))
    for name, package, code, row in (
        ("mars", "beauty_evaluate.datasets", blocks[0], blocks[1]),
        ("constant", "beauty_evaluate.raters", blocks[2], blocks[3]),
    ):
        module = ModuleType(f"{package}.{name}")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(sys.modules[package], name, module, raising=False)
        exec(code, module.__dict__)
        exec(row, {})
    (tmp_path / "mars.tsv").write_text("a.jpg\t6.5\tfemale\nb.jpg\t2\tmale\n")
    data = readers.READERS["mars"].read(tmp_path)
    assert (data.title, str(data.scale), data.samples["a.jpg"].group) == ("Faces of Mars", "1..7", "female")
    config = raters.decode({"family": "constant", "value": 2.5})
    rater = raters.of_card(Card("same", config, data.scale))
    face = Face((0, 0, 9, 9), np.empty((0, 2)), 1.0, np.zeros((64, 64, 3), np.uint8))
    assert rater.rate([face, face]).mean.tolist() == [2.5, 2.5]

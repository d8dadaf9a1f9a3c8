"""Rankings, and which differences mean anything."""

import io
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import PORTRAIT, PORTRAIT_PNG, ROOT, Run
from PIL import Image

from beauty_evaluate import Row, images
from beauty_evaluate.config import CropConfig, RatingScale
from beauty_evaluate.errors import UserError
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.reporting import comparison_picture, comparison_report
from beauty_evaluate.reporting.comparison_page import link
from beauty_evaluate.reporting.comparison_picture import FACE_HEIGHT, GAP, LINE_HEIGHT, MAX_COLUMNS
from beauty_evaluate.reporting.comparison_report import THUMBNAIL_SIDE
from beauty_evaluate.scoring.compare import Comparison
from beauty_evaluate.scoring.ranking import (
    Entry,
    disambiguate_names,
    entries,
    is_significant,
    pairs,
    people,
    ranked,
)
from beauty_evaluate.scoring.rows import Scored
from beauty_evaluate.scoring.sentences import NO_INTERVAL, change, difference, summary, verdicts

USE = ROOT / "use.py"


def entry(name: str, score: float, half: float | None = 0.3, person: str = "", is_query: bool = True) -> Entry:
    low, high = (None, None) if half is None else (max(1, score - half), min(5, score + half))
    row = Row(str(Path(person, name)), 1, 1, "ok", score, low, high, 50.0)
    shade = np.full((THUMBNAIL_SIDE, THUMBNAIL_SIDE, 3), int(50 * score), np.uint8)
    return Entry(name, row, score, images_jpeg(shade), person, is_query)


def comparison(faces: list[Entry], sentences: list[str]) -> Comparison:
    return Comparison(tuple(ranked(faces)), tuple(sentences), (), "An estimate.", RatingScale(1, 5), 5500)


def images_jpeg(picture: np.ndarray) -> bytes:
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG")
    return data.getvalue()


def test_a_difference_counts_beyond_both_intervals() -> None:
    a, near, far = entry("a", 3.0), entry("near", 3.42), entry("far", 3.43)  # .3 and .3 make .424
    assert (is_significant(a, near), is_significant(far, a)) == (False, True)
    assert difference(a, near) == "near and a differ by 0.42, less than the +- 0.42 of the two scores: a tie."
    assert difference(a, far) == "far scores 0.43 higher than a: more than the +- 0.42 of the two scores."
    unknown = entry("unknown", 4.0, None)
    assert is_significant(a, unknown) is None
    assert difference(a, unknown).endswith(NO_INTERVAL)
    assert entry("top", 4.9).half_width == pytest.approx(0.3)  # the interval ends at 5


def test_people_have_a_mean_a_deviation_and_a_best_photo() -> None:
    faces = [entry("1.jpg", 3.0, person="ann"), entry("2.jpg", 4.0, person="ann"), entry("3.jpg", 3.8, person="bob")]
    faces += [entry("4.jpg", 3.6, person="bob"), entry("5.jpg", 4.9, person="alone"), entry("6.jpg", 2.0)]
    bob, ann = people(faces)
    assert (bob.name, bob.photos, bob.best.name, ann.worst.name) == ("bob", 2, "3.jpg", "1.jpg")
    assert (bob.mean, ann.sd) == pytest.approx((3.7, 0.5**0.5))
    assert summary(ann).endswith("the best is 2.jpg (4.00), the worst 1.jpg (3.00).")
    others = [entry("7.jpg", 4.5, person="ann", is_query=False), replace(faces[0], row=replace(faces[0].row, faces=2))]
    assert people([*faces, *others])[1] == ann
    same = [replace(face, person=f"{root}/ann") for root in "ab" for face in faces[:2]]
    assert [person.name for person in people(same)] == ["a/ann", "b/ann"]


def test_entries_name_their_photo_and_its_person() -> None:
    def found(path: str, *roots: str, **changes: Any) -> Entry:
        row = replace(Row(path, 1, 1, "ok", 3.0), **changes)
        return entries(Scored([row], [face]), config, roots)[0]

    config = CropConfig(geometry="whole", size=64)
    face = Face((0, 0, 9, 9), np.empty((0, 2)), 1.0, np.zeros((64, 64, 3), np.uint8))
    assert found("a.jpg").name == "a.jpg"
    assert found("x/two.jpg", faces=2).name == "two.jpg, face 1"
    assert found(os.fsdecode(b"b\n\r\x07caf\xe9\xc2\xa0\xe2\x82\xac.jpg")).name == "b  \\x07caf\\udce9 €.jpg"
    assert [found(f"in/{path}", "out", "in/").person for path in ("a.jpg", "ann/a.jpg", "ann/2020/a.jpg")] == [
        "in",  # one of several folders
        "in/ann",
        "in/ann",
    ]
    assert found("./ann/a.jpg", ".").person == "ann"
    assert found("in/a.jpg", "in").person == ""  # the only folder: it may hold many people
    assert "\udce9" not in found(os.fsdecode(b"in/ann\xe9/a.jpg"), "in").person


def test_the_best_photo_of_a_person_may_be_a_tie() -> None:
    (ann,) = people([entry("1.jpg", 3.0, person="ann"), entry("2.jpg", 3.3, person="ann")])
    assert summary(ann).endswith(
        "even the best, 2.jpg (3.30), and the worst, 1.jpg (3.00), are a tie within the intervals."
    )


def test_files_of_one_name_are_told_by_their_folders() -> None:
    faces = [replace(entry("a.jpg", 3.0), row=replace(entry("a.jpg", 3.0).row, file=f"{who}/a.jpg")) for who in "xy"]
    faces += [entry("b.jpg", 2.0)]
    assert [face.name for face in disambiguate_names(faces)] == ["x/a.jpg", "y/a.jpg", "b.jpg"]
    deep = [replace(faces[0], row=replace(faces[0].row, file=f"{who}/z/a.jpg")) for who in "xy"]
    assert [face.name for face in disambiguate_names(deep)] == ["x/z/a.jpg", "y/z/a.jpg"]
    names = ("x/before.jpg", "x/after.jpg", "y/before.jpg")
    three = [replace(entry(Path(n).name, 3.0), row=replace(faces[0].row, file=n)) for n in names]
    assert [(a.row.file, b.row.file) for a, b in pairs(disambiguate_names(three))] == [names[:2]]


def test_a_picture_tells_some_sentences_and_names_outside_latin(monkeypatch: pytest.MonkeyPatch) -> None:
    faces = [entry("\u5f20\u4e09.jpg", 3.0)]
    monkeypatch.setattr(comparison_picture, "FONTS", ("no_such_font.ttf",))  # Pillow's own is used then
    short = Image.open(io.BytesIO(comparison(faces, ["one"] * 12).render(".png")))
    long = Image.open(io.BytesIO(comparison(faces, ["one"] * 500).render(".png")))
    assert long.height == short.height + LINE_HEIGHT


def test_before_and_after_are_told_by_their_names() -> None:
    faces = [
        entry("Ann_after.jpg", 3.5),
        entry("ann_BEFORE.jpg", 3.0),
        entry("bob before.jpg", 2.0),
        entry("c.jpg", 4.0),
    ]
    ((before, after),) = pairs(faces)
    assert (before.name, after.name) == ("ann_BEFORE.jpg", "Ann_after.jpg")
    lines = verdicts(faces[:2])
    assert lines == [change(before, after)]
    assert lines[0].startswith("Ann_after.jpg scores +0.50 against ann_BEFORE.jpg: more than")
    assert "-0.10 against" in change(entry("b", 3.1), entry("a", 3.0))
    assert change(before, entry("a", 3.1)).endswith("so no significant change.")
    assert pairs([faces[0], replace(faces[1], is_query=False)]) == []
    names = ("x_before.jpg", "x_after.jpg", "x_before.png", "x_after.png", "y_before.jpg", "y_after.png")
    both = pairs([entry(name, 3.0) for name in names])
    assert [(one.name, two.name) for one, two in both] == [names[:2], names[2:4]]


def test_sentences_say_who_leads_and_where_one_stands() -> None:
    faces = [entry("a", 4.0), entry("b", 3.9), entry("c", 2.0)]
    assert verdicts(faces) == ["a scores highest (4.00); with 1 of the other 2 it is a tie within the intervals."]
    others = [entry("x", 4.5, is_query=False), entry("y", 3.1, is_query=False), entry("z", 2.0, is_query=False)]
    (line,) = verdicts([entry("me", 3.0), *others])
    assert line == "me (3.00) would rank 3 of 4, next to y (3.10); with 1 of the 3 it is a tie within the intervals."
    (line,) = verdicts([entry("me", 1.0), *others])
    assert line == "me (1.00) would rank 4 of 4, next to z (2.00); it differs significantly from all of them."
    assert verdicts([entry("only", 3.0)]) == []
    assert [e.name for e in ranked([faces[2], faces[0], faces[1]])] == ["a", "b", "c"]


def test_the_picture_shows_faces_in_their_order(tmp_path: Path) -> None:
    faces = [entry(f"{'long name ' * 9}{i}", 2 + 0.1 * i, None if i % 2 else 0.3) for i in range(7)]
    path = tmp_path / "sheet.png"
    comparison(faces, verdicts(faces)).write(path)
    picture = images.read(path)
    order = [int(50 * e.score) for e in ranked(faces)]
    for i, shade in enumerate(order):
        x = GAP + i % MAX_COLUMNS * (THUMBNAIL_SIDE + GAP)
        y = GAP + 2 * LINE_HEIGHT + i // MAX_COLUMNS * (FACE_HEIGHT + GAP)
        assert abs(int(picture[y + 90, x + 90, 0]) - shade) <= 2


def test_a_long_ranking_shows_the_first_and_ones_own(tmp_path: Path) -> None:
    faces = [entry(f"{i}", 5 - 0.01 * i, is_query=False) for i in range(100)] + [entry("me", 1.5)]
    whole = comparison(faces, ["<b>said</b>"])
    shown = comparison_report._shown(whole._sheet(), 60)
    assert [rank for rank, _ in shown] == [*range(1, 60), 101]
    whole.write(tmp_path / "sheet.html")
    page = (tmp_path / "sheet.html").read_text()
    assert page.count("<li") == 101
    assert page.count(' class="query"') == 1
    assert "&lt;b&gt;said" in page
    assert "http" not in page


def test_reports_of_real_photos(here: Run, tmp_path: Path) -> None:
    done = here(USE, PORTRAIT, PORTRAIT_PNG, "--report", "both.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert "eileen_collins.png" in done.stdout.splitlines()[2]
    assert images.read(tmp_path / "both.png").shape[1] == 3 * (THUMBNAIL_SIDE + GAP) + GAP
    (tmp_path / "others").mkdir()
    (tmp_path / "others" / "note.jpg").write_text("no photo")
    (tmp_path / "others" / "star.png").write_bytes(PORTRAIT_PNG.read_bytes())
    done = here(USE, PORTRAIT, "--against", "others", "--report", "me.html")
    assert done.returncode == 1  # some not
    assert "grace_hopper.jpg (2" in done.stdout.splitlines()[1]
    assert done.stderr.startswith("others/note.jpg: ")
    assert (tmp_path / "me.html").read_text().count("<li") == 2


def test_reports_that_cannot_be(here: Run, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a picture"):
        comparison_report.check(Path("report.pdf"))
    with pytest.raises(UserError, match="needs a face"):
        comparison([], []).write(tmp_path / "none.png")
    done = here(USE, PORTRAIT, "--report", "r.pdf")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert here(USE, PORTRAIT, "--report", "r.png", "--resume", "--csv", "t.csv").returncode == 2
    (tmp_path / "empty").mkdir()
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "me.jpg").symlink_to(PORTRAIT)
    for folder in ("missing", "empty", "own", PORTRAIT_PNG):
        done = here(USE, PORTRAIT, "--against", folder, "--csv", "t.csv")
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
        assert not (tmp_path / "t.csv").exists()


def test_a_ranking_among_others_leaves_out_ones_own_copies(here: Run, tmp_path: Path) -> None:
    (tmp_path / "others").mkdir()
    shutil.copy(PORTRAIT_PNG, tmp_path / "others")
    words = (USE, PORTRAIT, "--against", "others", "--out", "others/copies")
    done = here(*words)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2)
    assert (tmp_path / "others" / "copies" / "grace_hopper_scored.jpg").exists()
    assert here(*words).stdout == done.stdout
    alone = here(USE, PORTRAIT, "--report", "one.html")
    assert len(alone.stdout.splitlines()) == 1


def test_a_report_of_oddly_named_photos(here: Run, tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    for name in (b"caf\xe9.png", b"line\nfeed.png", b"bell\x07.png"):
        shutil.copy(PORTRAIT_PNG, tmp_path / "odd" / os.fsdecode(name))
    for report in ("r.png", "r.html"):
        done = here(USE, "odd", "--report", report)
        assert (done.returncode, done.stderr) == (0, "")
        assert (tmp_path / report).exists()
    assert "caf\\udce9.png" in (tmp_path / "r.html").read_text()
    assert sorted(os.listdir(tmp_path)) == ["odd", "r.html", "r.png"]


def doubtful(name: str, score: float, warnings: str = "dark", **changes: Any) -> Entry:
    clear = entry(name, score, **changes)
    return replace(clear, row=replace(clear.row, warnings=warnings))


def test_doubtful_scores_come_last() -> None:
    faces = [doubtful("high", 4.9), entry("low", 2.0), entry("best", 4.0), doubtful("grey", 3.0, "grey")]
    assert [face.name for face in ranked(faces)] == ["best", "low", "high", "grey"]
    whole = comparison(faces, [])._sheet()
    ranking, last = comparison_report._blocks(whole, comparison_report._shown(whole, 60))
    assert [card.score for card in ranking.cards] == ["1.  4.00", "2.  2.00"]
    assert (last.title, [card.score for card in last.cards]) == (comparison_report.DOUBTFUL, ["4.90", "3.00"])
    assert [card.reasons for card in last.cards] == [["the photo is dark"], ["the photo has no colour"]]


def test_a_comparison_says_that_a_score_is_doubtful_before_all_else() -> None:
    a, b = doubtful("a", 3.0), entry("b", 4.0)
    first = "The score of a (the photo is dark) means little, and so does this comparison. "
    assert difference(a, b) == first + difference(entry("a", 3.0), b)
    both = difference(a, doubtful("b", 3.1, "grey;small"))
    assert both.startswith(
        "The scores of b (the photo has no colour, the face is small) and a (the photo is dark) mean"
    )
    after = change(entry("x_before", 3.0), doubtful("x_after", 4.0))
    assert after.index("means little") < after.index("more than the +-")
    assert change(a, b) == first + change(entry("a", 3.0), b)
    assert NO_INTERVAL in difference(doubtful("c", 1.0, half=None), b)


def test_doubtful_faces_do_not_count_among_others() -> None:
    faces = [entry("a", 3.5), entry("b", 3.4), entry("c", 2.0)]
    assert verdicts([*faces, doubtful("d", 5.0)]) == [
        "a scores highest (3.50); 1 doubtful face is left out; with 1 of the other 2 it is a tie within the intervals."
    ]
    assert verdicts([entry("a", 3.5), doubtful("d", 5.0), doubtful("e", 4.0)]) == [
        "a scores highest (3.50); 2 doubtful faces are left out."
    ]
    (line,) = verdicts([doubtful("d", 5.0), doubtful("e", 4.0), doubtful("f", 3.0)])
    assert line.startswith("The score of d (the photo is dark) means little, and so does this comparison. d scores")
    others = [entry("x", 4.0, is_query=False), replace(doubtful("y", 4.5), is_query=False)]
    (line,) = verdicts([entry("me", 3.0), *others])
    assert line.startswith("me (3.00) would rank 2 of 2, next to x (4.00); 1 doubtful face is left out; it differs")
    (line,) = verdicts([doubtful("me", 3.0), *others])
    assert line.startswith("The score of me (the photo is dark) means little, and so does this comparison. me (3.00)")
    (line,) = verdicts([entry("me", 3.0), others[1]])
    assert line.startswith("The score of y (the photo is dark) means little")


def test_doubtful_photos_do_not_count_for_a_person() -> None:
    photos = [entry("1.jpg", 3.0, person="ann"), entry("2.jpg", 3.6, person="ann")]
    (ann,) = people([*photos, doubtful("3.jpg", 4.9, person="ann")])
    assert (ann.photos, ann.left_out, ann.best.name) == (2, 1, "2.jpg")
    assert ann.mean == pytest.approx(3.3)
    assert "standard deviation 0.42; 1 doubtful photo is left out; the best is 2.jpg (3.60)" in summary(ann)
    (bob,) = people([doubtful("1.jpg", 3.0, person="bob"), entry("2.jpg", 2.0, person="bob")])
    assert (bob.photos, bob.left_out, bob.best.name) == (2, 0, "1.jpg")  # one alone says nothing
    assert summary(bob).startswith("The score of 1.jpg (the photo is dark) means little")


def test_no_change_has_no_minus() -> None:
    assert "scores +0.00 against b" in change(entry("b", 3.001), entry("a", 3.0))


def test_a_pair_stands_in_its_order_and_is_not_ranked_as_well(tmp_path: Path) -> None:
    faces = [entry("x_after.jpg", 4.0), entry("x_before.jpg", 3.0)]
    whole = comparison(faces, [change(faces[1], faces[0]), "more"])
    (block,) = comparison_report._blocks(whole._sheet(), comparison_report._shown(whole._sheet(), 60))
    assert (block.is_pairs, [card.score for card in block.cards]) == (True, ["3.00", "4.00"])
    whole.write(tmp_path / "pair.html")
    page = (tmp_path / "pair.html").read_text()
    assert page.index('alt="x_before.jpg"') < page.index('alt="x_after.jpg"')
    assert page.count("scores +1.00 against") == page.count("<p>more</p>") == 1
    picture = Image.open(io.BytesIO(whole.render(".png"))).convert("L")
    middles = [(GAP + i * (THUMBNAIL_SIDE + GAP) + 90, GAP + 4 * LINE_HEIGHT + 90) for i in (0, 1)]
    assert [picture.getpixel(middle) for middle in middles] == [150, 200]  # shades of 3 and 4 points
    more = comparison([*faces, entry("c.jpg", 2.0)], [])._sheet()
    blocks = comparison_report._blocks(more, comparison_report._shown(more, 60))
    assert [(block.title, len(block.cards)) for block in blocks] == [("Before and after", 2), ("Ranking", 3)]


def test_a_page_links_to_the_photos_from_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("in/a b#?.jpg", "javascript:alert(1)"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).touch()
    assert link("in/a b#?.jpg", Path("out/deep")) == "../../in/a%20b%23%3F.jpg"
    assert link(str(tmp_path / "in" / "a b#?.jpg"), Path("in")) == "a%20b%23%3F.jpg"
    assert link("javascript:alert(1)", Path()) == "javascript%3Aalert%281%29"
    assert link("in", Path()) == link("gone.jpg", Path()) == ""
    odd = os.fsdecode(b"caf\xe9.jpg")
    Path(odd).touch()
    assert link(odd, Path()) == "caf%E9.jpg"
    known = replace(entry("a", 3.0), row=replace(entry("a", 3.0).row, file="in/a b#?.jpg"))
    comparison([known, entry("b", 2.0)], []).write(Path("r.html"))
    assert Path("r.html").read_text().count('href="in/a%20b%23%3F.jpg"') == 2
    assert b"href=" not in comparison([known], []).render(".html")  # nobody knows where that will lie


def test_a_page_knows_persons_and_warnings_to_filter_by() -> None:
    faces = [entry("1.jpg", 3.0, person="in/ann"), doubtful("2.jpg", 4.0, "dark;grey", person="in/bob")]
    page = comparison(faces, []).render(".html").decode()
    for words in ("<option>ann</option>", '<option value="grey">the photo has no colour</option>', 'data-person="bob"'):
        assert words in page
    assert '<form id="controls" hidden>' in page
    alone = comparison([entry("1.jpg", 3.0)], []).render(".html").decode()
    assert "<form" not in alone
    assert "<script" not in alone


def test_names_cannot_become_parts_of_the_page() -> None:
    name = '"><script>alert(1)</script>.jpg'
    odd = replace(entry(name, 3.0, person='<i>"'), row=replace(entry(name, 3.0).row, warnings='x" y'))
    page = comparison([odd, entry("b", 2.0)], [name]).render(".html").decode()
    assert page.count("<script") == 1  # its own
    assert "alert(1)" in page
    assert "<i>" not in page
    assert 'data-warnings="x" y"' not in page

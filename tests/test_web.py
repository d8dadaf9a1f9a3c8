"""The page and its API through Flask's client: every address, and every kind of bad upload."""

import io
import json
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import flask
import numpy as np
import pytest
from conftest import PORTRAIT, PORTRAIT_PNG
from flask.testing import FlaskClient
from PIL import Image, ImageColor
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from beauty_evaluate.drawing import LOWERS, RAISES, tint
from beauty_evaluate.faces.regions import NAMES
from beauty_evaluate.scoring.scorer import Scorer
from beauty_evaluate.scoring.tables import COLUMNS
from beauty_evaluate.web import service, views
from beauty_evaluate.web.app import create_app
from beauty_evaluate.web.i18n import LANGUAGES, Texts

UPLOAD = 4 << 20


@pytest.fixture(scope="module")
def app() -> flask.Flask:
    app = create_app(Scorer(), upload=UPLOAD)
    app.testing = True
    app.extensions["desk"].patience = 3600  # however busy the machine is
    return app


@pytest.fixture
def client(app: flask.Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def quick(drawn_run: Path) -> FlaskClient:
    """With a network so small that it explains in no time."""
    app = create_app(Scorer(str(drawn_run / "weights" / "drawn.json")))
    app.extensions["desk"].patience = 3600
    return app.test_client()


def jpeg(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.convert("RGB").save(file, "JPEG")
    return file.getvalue()


def faces(count: int) -> bytes:
    """A photo with the same face `count` times."""
    face = Image.open(PORTRAIT).convert("RGB").crop((130, 60, 410, 400)).resize((100, 120))
    photo = Image.new("RGB", (600, 120 * -(-count // 6)), "white")
    for i in range(count):
        photo.paste(face, (i % 6 * 100, i // 6 * 120))
    return jpeg(photo)


def post(client: FlaskClient, address: str, *photos: bytes, headers: Any = None, **fields: Any) -> TestResponse:
    files = [FileStorage(io.BytesIO(data), f"photo{i}.jpg") for i, data in enumerate(photos)]
    boundary, body = encode_multipart({"photo": files, **fields})  # in memory, unlike the client's own way
    kind = f"multipart/form-data; boundary={boundary}"
    return client.post(address, data=body, content_type=kind, headers=headers)


def error(answer: TestResponse) -> tuple[int, str]:
    """Status and code of a refused request, which says one sentence more."""
    told = answer.get_json()["error"]
    assert set(told) == {"code", "message"}
    assert told["message"]
    assert "\n" not in told["message"]
    return answer.status_code, told["code"]


def test_page_says_what_it_is_in_both_languages(client: FlaskClient) -> None:
    english = client.get("/", headers={"Accept-Language": "fr, en;q=0.8"}).text
    assert '<html lang="en">' in english
    assert "measures nobody&#39;s worth" in english
    chinese = client.get("/", headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}).text
    assert '<html lang="zh">' in chinese
    assert "不衡量任何人的价值" in chinese
    assert '<html lang="en">' in client.get("/?lang=en", headers={"Accept-Language": "zh"}).text
    for group in ("AF", "AM", "CF", "CM"):  # how well it works, measured on photos that were not learnt from
        assert Texts("en")[group] in english


def test_all_texts_are_there_in_both_languages_with_the_same_gaps() -> None:
    english, chinese = (Texts(language) for language in LANGUAGES)
    for key in english:
        gaps = [sorted(re.findall(r"{\w+}", texts[key])) for texts in (english, chinese)]
        assert gaps[0] == gaps[1], key
        assert chinese[key]
    for name in (*NAMES, "small", "blurred", "dark", "bright", "grey", "turned", "unsure"):
        assert name in english
    assert "no such text" not in english


def test_every_answer_carries_the_headers(client: FlaskClient) -> None:
    for answer in (
        client.get("/"),
        client.get("/static/page.js", buffered=True),
        client.get("/nowhere"),
        post(client, "/api/score"),
    ):
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("good", [True, False])
def test_a_picture_is_offered_where_there_is_one(client: FlaskClient, good: bool) -> None:
    answer = post(client, "/", PORTRAIT.read_bytes() if good else b"text").text
    assert ("save-picture" in answer, "save-json" in answer) == (good, True)


def test_page_asks_nobody_else(client: FlaskClient) -> None:
    served = [client.get(address, buffered=True).text for address in ("/", "/static/page.css", "/static/page.js")]
    assert not re.search(r"https?://|@import|url\(", "".join(served))
    assert not re.search(r"<script(?![^>]* src=)|\son\w+=|\sstyle=", served[0])  # all of which the policy would stop


def test_scores_are_the_rows_of_the_command(client: FlaskClient) -> None:
    found = post(client, "/api/score", PORTRAIT.read_bytes(), PORTRAIT_PNG.read_bytes()).get_json()["rows"]
    assert [set(row) for row in found] == [set(COLUMNS)] * 2
    for row, path in zip(found, (PORTRAIT, PORTRAIT_PNG), strict=True):
        (own,) = Scorer().score(path)
        assert row["score"] == pytest.approx(own.score, abs=2e-4)
        assert (row["status"], row["x"], row["percentile"]) == ("ok", own.x, pytest.approx(own.percentile, abs=0.1))


def test_each_bad_photo_is_a_row_and_the_others_are_scored(client: FlaskClient) -> None:
    whole = PORTRAIT.read_bytes()
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    blank = jpeg(Image.new("RGB", (300, 300)))
    bad = [b"", b"just text", whole[: len(whole) // 2], bomb.getvalue(), blank, faces(30)]
    rows = post(client, "/api/score", *bad, whole).get_json()["rows"]
    expected = ["unreadable", "unreadable", "unreadable", "too_large", "no_face", "too_many_faces", "ok"]
    assert [row["status"] for row in rows] == expected
    assert rows[5]["faces"] > 20
    assert all(row["error"] for row in rows[:6])


def test_requests_that_cannot_be_answered_say_why(client: FlaskClient) -> None:
    photo = PORTRAIT.read_bytes()
    assert error(client.post("/api/score")) == (422, "no_photos")
    assert error(client.post("/api/score", data=photo)) == (422, "no_photos")
    assert error(client.post("/api/score", data={"photo": "text, not a file"})) == (422, "no_photos")
    assert error(post(client, "/api/score", *[photo] * 13)) == (422, "no_photos")
    assert error(post(client, "/api/score", bytes(UPLOAD + 100_000))) == (413, "too_large")
    assert error(post(client, "/api/explain", photo, photo)) == (422, "no_photos")
    assert error(post(client, "/api/explain", b"text")) == (422, "unreadable")
    for face in ("0", "2", "-1", "one", "9999"):
        assert error(post(client, "/api/explain", photo, face=face)) == (422, "no_face")
    assert error(post(client, "/api/explain", photo, face=["1", "1"])) == (422, "no_face")
    assert error(post(client, "/api/sheet", b"text")) == (422, "no_face")
    assert error(client.get("/nowhere")) == (404, "not_found")
    answer = client.get("/api/score")
    assert error(answer) == (405, "wrong_method")
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "elsewhere.example"},
        {"Host": "localhost.elsewhere.example:8000"},
    ],
    ids=str,
)
def test_other_sites_are_refused(client: FlaskClient, headers: dict[str, str]) -> None:
    assert error(post(client, "/api/score", PORTRAIT.read_bytes(), headers=headers)) == (403, "refused")


def test_own_posts_and_programs_are_answered(client: FlaskClient) -> None:
    for headers in (
        {"Origin": "http://localhost:8000", "Host": "localhost:8000", "Sec-Fetch-Site": "same-origin"},
        {"Host": "[::1]:8000"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},  # a form of our own page, without scripts
        {},
    ):
        assert post(client, "/api/score", PORTRAIT.read_bytes(), headers=headers).status_code == 200


def test_results_show_score_place_and_level(client: FlaskClient) -> None:
    html = post(client, "/fragment/score", PORTRAIT.read_bytes()).text
    (row,) = Scorer().score(PORTRAIT)
    assert row.score is not None
    assert f"{row.score:.2f}" in html
    assert f"Level {int(row.score + 0.5)} of 5" in html
    assert f"higher than {row.percentile:.0f} % of the 5500" in html
    assert html.count('class="bar"') == 40
    assert re.search(r'src="data:image/jpeg;base64,[\w+/=]{1000,}"', html)


def test_file_names_are_shown_as_text(client: FlaskClient) -> None:
    photo = (io.BytesIO(PORTRAIT.read_bytes()), '<img src=x onerror="alert(1)">.jpg')
    html = client.post("/fragment/score", data={"photo": photo}).text
    assert "<img src=x" not in html
    assert "&lt;img src=x" in html


def test_two_photos_are_ranked_and_their_difference_is_put_into_words(client: FlaskClient) -> None:
    html = post(client, "/fragment/score", PORTRAIT.read_bytes(), PORTRAIT_PNG.read_bytes()).text
    assert html.index("photo1.jpg</span>") < html.index("photo0.jpg</span>")  # the second scores higher
    assert re.search(r"photo1\.jpg scores 0\.\d\d higher than photo0\.jpg: more than the ± 0\.", html)
    pair = post(client, "/fragment/score", PORTRAIT.read_bytes(), PORTRAIT_PNG.read_bytes(), pair="1").text
    assert pair.index("photo0.jpg</span>") < pair.index("photo1.jpg</span>")
    assert "Before: " in pair
    assert re.search("After scores|Before and after differ", pair)


def test_several_faces_are_cards_of_their_own(client: FlaskClient) -> None:
    html = post(client, "/fragment/score", faces(3)).text
    assert html.count('<li class="card"') == 3
    assert "Face 2 of 3" in html


def test_without_scripts_the_form_alone_gives_score_and_reasons(quick: FlaskClient) -> None:
    html = post(quick, "/?lang=zh", PORTRAIT.read_bytes(), why="1").text
    assert "分数的来由" in html
    assert all(Texts("zh")[name] in html for name in NAMES)
    assert re.search(r"[+-]0\.\d\d", html)
    wrong = quick.post("/", data={})
    assert wrong.status_code == 422
    assert "Please choose 1 to 12 photos." in wrong.text
    large = quick.post("/", data=bytes(40 << 20), content_type="multipart/form-data; boundary=x")
    assert (large.status_code, large.mimetype) == (413, "text/html")


def test_explanations_add_up_and_tell_their_progress(quick: FlaskClient) -> None:
    answer = post(quick, "/api/explain", PORTRAIT.read_bytes(), headers={"Accept": "application/x-ndjson"})
    *steps, last = [json.loads(line) for line in answer.text.splitlines()]
    assert [step["done"] for step in steps] == sorted(step["done"] for step in steps)
    assert steps[-1]["done"] == steps[-1]["total"]
    found = last["explanation"]
    assert [region["name"] for region in found["regions"]] == list(NAMES)
    total = found["reference"] + sum(region["effect"] for region in found["regions"])
    assert total == pytest.approx(found["score"], abs=1e-3)
    assert sum(region["area"] for region in found["regions"]) == pytest.approx(1, abs=1e-3)


def test_effects_that_failed_their_proof_are_not_shown(drawn_run: Path) -> None:
    scorer = Scorer(str(drawn_run / "weights" / "drawn.json"))
    ways = {"photos": 3, "pearson": 0.9, "mean_difference": 0.1, "first": 0.5}

    def shown(**maps: str) -> str:
        known = {"maps": {"network": "x", "found": maps}, "ways": {"network": "x", "found": ways}}
        scorer.card = replace(scorer.card, explanations=known)
        answer = post(create_app(scorer).test_client(), "/fragment/why?lang=zh", PORTRAIT.read_bytes())
        return str(json.loads(answer.text.splitlines()[-1])["html"])

    texts = Texts("zh")
    good, bad, unknown = shown(regions="beats edges"), shown(regions="do not read this map: it fails"), shown()
    assert texts["unread"] in bad
    assert "<table" not in bad
    assert "<img" not in bad
    assert texts["proved"] in good
    assert texts.say("measured_on", network="x") in good
    assert texts["unproved"] in unknown
    assert all("<table" in html and "0.90" in html and "50 %" in html for html in (good, unknown))


def test_a_mistake_while_explaining_is_a_line(client: FlaskClient) -> None:
    answer = post(client, "/fragment/why?lang=zh", b"text")
    (line,) = answer.text.splitlines()
    assert json.loads(line) == {"error": {"code": "unreadable", "message": Texts("zh")["unreadable"]}}


def test_people_are_told_in_their_language_and_programs_in_english(client: FlaskClient) -> None:
    photos = [b"text"] * 13
    for address, words in (
        ("/fragment/score?lang=zh", "请选择 1 到 12 张照片。"),
        ("/api/score?lang=zh", "Expected 1 to 12"),
    ):
        told = post(client, address, *photos)
        assert error(told) == (422, "no_photos")
        assert words in told.get_json()["error"]["message"]


def test_photos_named_alike_are_told_apart(client: FlaskClient) -> None:
    files = [FileStorage(io.BytesIO(path.read_bytes()), "image.jpg") for path in (PORTRAIT, PORTRAIT_PNG)]
    boundary, body = encode_multipart({"photo": files})
    html = client.post("/fragment/score", data=body, content_type=f"multipart/form-data; boundary={boundary}").text
    assert re.search(r"image\.jpg \(2\) scores 0\.\d\d higher than image\.jpg \(1\)", html)


def test_differences_are_between_photos_not_within_one(client: FlaskClient) -> None:
    three = faces(3)
    html = post(client, "/fragment/score", three, PORTRAIT.read_bytes(), three).text
    said = re.findall(r'"verdict">(.*?)</p>', html)
    assert len(said) == 3
    assert all(len(set(re.findall(r"photo\d", sentence))) == 2 for sentence in said)


def test_before_and_after_needs_two_faces(client: FlaskClient) -> None:
    for photos in ([PORTRAIT.read_bytes()], [PORTRAIT.read_bytes(), b"text"], [PORTRAIT.read_bytes(), faces(2)]):
        assert Texts("en")["pair_needs"] in post(client, "/fragment/score", *photos, pair="1").text


def test_page_says_where_a_photo_goes(client: FlaskClient) -> None:
    assert Texts("en")["private"] in client.get("/").text
    assert Texts("en")["private_there"] in client.get("/", environ_base={"REMOTE_ADDR": "192.168.1.7"}).text


def test_a_figure_that_is_not_known_is_a_dash(app: flask.Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = app.extensions["desk"].scorer
    monkeypatch.setattr(scorer, "card", replace(scorer.card, metrics={"all": {"pearson": None, "mae": 0.5}}))
    assert "<td>-</td><td>0.50</td>" in app.test_client().get("/").text
    monkeypatch.setattr(scorer, "card", replace(scorer.card, metrics={}))  # those of a network of the same recipe
    assert "How well this recipe agrees with the raters: six_block_60-40" in app.test_client().get("/").text


def test_sheet_is_a_picture(client: FlaskClient) -> None:
    answer = post(client, "/api/sheet", PORTRAIT.read_bytes(), PORTRAIT_PNG.read_bytes())
    assert answer.mimetype == "image/png"
    assert Image.open(io.BytesIO(answer.data)).width > 400


def test_when_all_hands_are_busy_the_next_is_sent_away() -> None:
    hands, may_end = service.BoundedExecutor(1, 1), threading.Event()
    futures = [hands.begin(may_end.wait) for _ in range(2)]
    with pytest.raises(service.Busy):
        hands.begin(may_end.wait)
    may_end.set()
    assert [future.result() for future in futures] == [True, True]
    assert hands.begin(lambda: 7).result() == 7


def test_who_goes_away_is_not_worked_for(app: flask.Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    hands, begun = service.BoundedExecutor(1, 0), []

    def endless(data: bytes, face: int, progress: Callable[[int, int], None], late: float) -> Any:
        def job() -> None:
            while True:
                progress(1, 2)

        begun.append(hands.begin(job))
        return begun[0]

    monkeypatch.setattr(app.extensions["desk"], "explain", endless)
    answer = post(app.test_client(), "/api/explain", PORTRAIT.read_bytes(), headers={"Accept": "application/x-ndjson"})
    assert json.loads(next(answer.iter_encoded())) == {"done": 1, "total": 2}
    answer.close()
    assert isinstance(begun[0].exception(60), views.Gone)


def test_a_bug_while_explaining_is_a_line(app: flask.Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "region_effects", lambda *words, **named: 1 / 0)
    answer = post(app.test_client(), "/api/explain", PORTRAIT.read_bytes(), headers={"Accept": "application/x-ndjson"})
    assert json.loads(answer.text)["error"]["code"] == "broken"


def test_memory_is_set_aside_before_a_request_is_read(app: flask.Flask) -> None:
    client, desk = app.test_client(), app.extensions["desk"]
    desk.take(service.ROOM)
    assert error(post(client, "/api/score", PORTRAIT.read_bytes())) == (503, "busy")
    desk.give(service.ROOM)
    for photo in (PORTRAIT.read_bytes(), b"text"):
        post(client, "/api/score", photo)
        post(client, "/api/explain", photo[:100], headers={"Accept": "application/x-ndjson"})
    desk.take(service.ROOM)  # all of it was given back
    desk.give(service.ROOM)


def test_a_desk_that_closes_gives_up_what_waits(app: flask.Flask) -> None:
    desk = service.ScoringService(app.extensions["desk"].scorer, 1)
    data, late = PORTRAIT.read_bytes(), desk.deadline() + 3600
    begun, go_on = threading.Event(), threading.Event()

    def progress(done: int, total: int) -> None:
        begun.set()
        go_on.wait()

    running, waiting = (desk.explain(data, 1, progress, late) for _ in range(2))
    begun.wait()
    desk.close()
    go_on.set()
    for future in (running, waiting):
        with pytest.raises(service.Busy):
            desk.finished(future, late)


def refusing(app: flask.Flask, monkeypatch: pytest.MonkeyPatch, job: Callable[..., Any]) -> TestResponse:
    monkeypatch.setattr(app.extensions["desk"], "score", job)
    return post(app.test_client(), "/api/score", PORTRAIT.read_bytes())


def test_busy_and_late_requests_are_told_when_to_come_again(app: flask.Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(photos: Any, late: float) -> None:
        raise service.Busy

    answer = refusing(app, monkeypatch, busy)
    assert error(answer) == (503, "busy")
    assert int(answer.headers["Retry-After"]) > 0
    monkeypatch.undo()
    desk = app.extensions["desk"]
    monkeypatch.setattr(desk, "patience", -1.0)
    for address in ("/api/score", "/api/explain"):
        assert error(post(app.test_client(), address, PORTRAIT.read_bytes())) == (503, "too_long")
    with pytest.raises(service.TooLong):  # a job that goes on is not waited for
        desk.finished(Future[Any](), desk.deadline())
    with pytest.raises(service.TooLong):  # and one whose turn comes too late is not begun
        desk._one("", b"", desk.deadline())


def test_our_own_bug_is_told_without_its_inside(app: flask.Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(photos: Any, late: float) -> None:
        raise ZeroDivisionError("secret")

    app.testing = False  # which hands bugs on to the test
    try:
        answer = refusing(app, monkeypatch, broken)
    finally:
        app.testing = True
    assert error(answer) == (500, "broken")
    assert b"secret" not in answer.data


def test_tint_colours_what_raises_and_what_lowers() -> None:
    picture = np.full((2, 2, 3), 100, np.uint8)
    shares = np.array([[0.0, 1.0], [-1.0, 5.0]])
    found = tint(picture, shares)
    assert found[0, 0].tolist() == [100] * 3
    assert found[0, 1].tolist() == [round(25 + 0.75 * c) for c in ImageColor.getrgb(RAISES)]
    assert found[1, 0].tolist() == [round(25 + 0.75 * c) for c in ImageColor.getrgb(LOWERS)]
    assert found[1, 1].tolist() == found[0, 1].tolist()  # no deeper than the end of the scale

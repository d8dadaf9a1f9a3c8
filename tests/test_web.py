"""The page through Flask's client: what it says, in both languages, for any weights."""

import html
import io
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import flask
import numpy as np
import pytest
from conftest import FAR_APART, PORTRAIT, PORTRAIT_PNG, ROOT
from flask.testing import FlaskClient
from PIL import Image, ImageColor
from playwright._impl._driver import compute_driver_executable
from web_support import UPLOAD, BrightnessConfig, brightness_scorer, error, faces, post, running, service_of
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from beauty_evaluate.drawing import LOWERS, RAISES, tint
from beauty_evaluate.faces.regions import NAMES
from beauty_evaluate.phrases import WARNINGS
from beauty_evaluate.raters import registry
from beauty_evaluate.scoring.scorer import Scorer
from beauty_evaluate.web import knowledge
from beauty_evaluate.web.i18n import LANGUAGES, Texts

STATIC = ROOT / "beauty_evaluate" / "web" / "static"


@pytest.fixture(scope="module")
def app() -> Iterator[flask.Flask]:
    with running(Scorer()) as app:
        yield app


@pytest.fixture
def client(app: flask.Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[FlaskClient]:
    """With weights of another data set, on another scale."""
    with brightness_scorer(tmp_path) as scorer, running(scorer) as app:
        yield app.test_client()


def test_page_says_what_it_is_in_both_languages(client: FlaskClient) -> None:
    english = client.get("/", headers={"Accept-Language": "fr, en;q=0.8"}).text
    assert '<html lang="en">' in english
    assert "measures nobody&#39;s worth" in english
    chinese = client.get("/", headers={"Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5"}).text
    assert '<html lang="zh">' in chinese
    assert "不衡量任何人的价值" in chinese
    assert '<html lang="en">' in client.get("/?lang=en", headers={"Accept-Language": "zh"}).text
    for group in ("Asian women", "Asian men", "Caucasian women", "Caucasian men"):  # on photos not learnt from
        assert group in english
    assert "the raters of SCUT-FBP5500" in english


def test_all_texts_are_there_in_both_languages_with_the_same_gaps() -> None:
    english, chinese = (Texts(language) for language in LANGUAGES)
    for key in english:
        gaps = [sorted(re.findall(r"{\w+}", texts[key])) for texts in (english, chinese)]
        assert gaps[0] == gaps[1], key
        assert chinese[key]
    for name in (*NAMES, *WARNINGS):
        assert name in english
    assert "no such text" not in english


@pytest.mark.parametrize("language", LANGUAGES)
def test_with_other_weights_all_words_come_from_their_card(other: FlaskClient, language: str) -> None:
    page = other.get(f"/?lang={language}").text
    scored = post(other, f"/fragment/score?lang={language}", PORTRAIT.read_bytes()).text
    described = other.get("/docs").text + other.get("/api/openapi.json").text
    for text in (page, scored, described):
        assert not re.search(r"60 raters|60 位|5500|SCUT|of 5\b|满分 5|共 5", text)
    assert "Postcards" in page
    assert "left-handed</th><td>-</td><td>0.50" in page  # a label without a title, a figure that is not known
    assert "0.99" not in page  # the baseline is no group
    assert re.search(r"Street photos.*0\.430", page)  # figures of photos not learnt from stand beside the others
    assert "0.585" in page  # of one human rater there
    ticks = re.findall(r"<text [^>]*>(\d+)</text>", scored)
    assert ticks == [str(level) for level in range(11)]
    assert ("10" in page, "10" in scored) == (True, True)


def test_figures_on_other_peoples_photos_stand_on_the_page(client: FlaskClient) -> None:
    page = client.get("/").text
    assert Texts("en").say("other_photos", data="London", pearson="0.528") in page
    assert "0.590" in page  # of one human rater there


def test_scores_beside_an_explanation_are_clipped_to_the_scale(tmp_path: Path) -> None:
    with brightness_scorer(tmp_path, config=BrightnessConfig(bonus=20)) as scorer, running(scorer) as app:
        answer = post(app.test_client(), "/api/explain", PORTRAIT.read_bytes()).get_json()
        (row,) = post(app.test_client(), "/api/score", PORTRAIT.read_bytes()).get_json()["rows"]
    assert (answer["score"], answer["reference"], row["score"]) == (10, 10, 10)


def test_every_answer_carries_the_headers(client: FlaskClient) -> None:
    for answer in (
        client.get("/"),
        client.get("/docs"),
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
    assert ("save-picture" in answer, "save-json" in answer) == (good, good)


def test_pages_ask_nobody_else(client: FlaskClient) -> None:
    files = [f"/static/{path.name}" for path in STATIC.iterdir() if path.suffix in (".css", ".js")]
    addresses = ("/", "/docs", *files)
    page, docs, *static = [client.get(address, buffered=True).text for address in addresses]
    assert not re.search(r"https?://|@import|url\(", page + "".join(static))
    assert set(re.findall(r"https?://[\w.:-]+", docs)) == {"http://localhost"}  # this server, in the examples
    assert "<script" not in docs
    for text in (page, docs):  # which the policy would stop
        assert not re.search(r"<script(?![^>]* src=)|\son\w+=|\sstyle=", text)


def test_the_scripts_of_the_page_can_be_parsed() -> None:
    node, _ = compute_driver_executable()  # the Node.js that Playwright brings
    for script in STATIC.glob("*.js"):
        subprocess.run([node, "--check", str(script)], check=True, capture_output=True)


def test_docs_show_every_address_with_an_example(client: FlaskClient) -> None:
    docs, described = client.get("/docs").text, client.get("/api/openapi.json").get_json()
    for path in described["paths"]:
        assert re.search(rf"<pre[^>]*><code>curl [^<]*http://localhost{re.escape(path)}\b", docs)
    targets = set(re.findall(r' id="(\w+)"', docs))
    assert set(re.findall(r'href="#(\w+)"', docs)) <= targets
    assert set(described["components"]["schemas"]) <= targets


def test_results_show_score_and_place(client: FlaskClient) -> None:
    html = post(client, "/fragment/score", PORTRAIT.read_bytes()).text
    (row,) = Scorer().score(PORTRAIT)
    assert row.score is not None
    assert f"{row.score:.2f}" in html
    assert "Level" not in html
    assert "on a scale of 1 to 5" in html
    assert f"higher than {row.percentile:.0f} % of the 5500" in html
    assert html.count('class="bar"') == 40
    assert re.search(r'src="data:image/jpeg;base64,[\w+/=]{1000,}"', html)
    assert "Columns: how often each score occurs" in html


def test_a_face_below_nearly_all_is_not_higher_than_none() -> None:
    scorer = Scorer()
    scorer.labels = np.full(scorer.rated, 5.0)
    with running(scorer) as app:
        client = app.test_client()
        pages = [post(client, f"/fragment/score?lang={one}", PORTRAIT.read_bytes()).text for one in LANGUAGES]
    assert "fewer than 1 % of the 5500 rated faces score lower" in pages[0]
    assert "不到 1 %" in pages[1]
    assert "than 0 %" not in pages[0]


def test_file_names_are_shown_as_text(client: FlaskClient) -> None:
    photo = (io.BytesIO(PORTRAIT.read_bytes()), '<img src=x onerror="alert(1)">.jpg')
    html = client.post("/fragment/score", data={"photo": photo}).text
    assert "<img src=x" not in html
    assert "&lt;img src=x" in html


def test_two_photos_are_ranked_and_their_difference_is_put_into_words(client: FlaskClient) -> None:
    html = post(client, "/fragment/score", *(path.read_bytes() for path in FAR_APART)).text
    assert html.index("photo1.jpg</span>") < html.index("photo0.jpg</span>")  # the second scores higher
    assert re.search(r"photo1\.jpg scores 2\.\d\d higher than photo0\.jpg, more than their combined margin", html)
    pair = post(client, "/fragment/score", PORTRAIT.read_bytes(), PORTRAIT_PNG.read_bytes(), pair="1").text
    assert pair.index("photo0.jpg</span>") < pair.index("photo1.jpg</span>")
    assert "Before: " in pair
    assert re.search("After scores|Before and after differ", pair)


def test_several_faces_are_cards_of_their_own(client: FlaskClient) -> None:
    html = post(client, "/fragment/score", faces(3)).text
    assert html.count('<li class="card"') == 3
    assert "Face 2 of 3" in html


def test_photos_named_alike_are_told_apart(client: FlaskClient) -> None:
    files = [FileStorage(io.BytesIO(path.read_bytes()), "image.jpg") for path in FAR_APART]
    boundary, body = encode_multipart({"photo": files})
    html = client.post("/fragment/score", data=body, content_type=f"multipart/form-data; boundary={boundary}").text
    assert re.search(r"image\.jpg \(2\) scores 2\.\d\d higher than image\.jpg \(1\)", html)


def test_differences_are_between_photos_not_within_one(client: FlaskClient) -> None:
    three = faces(3)
    html = post(client, "/fragment/score", three, PORTRAIT.read_bytes(), three).text
    sentences = re.findall(r'"verdict">(.*?)</p>', html)
    assert len(sentences) == 3
    assert all(len(set(re.findall(r"photo\d", sentence))) == 2 for sentence in sentences)


def test_what_was_scored_is_shown_anew_without_its_photos(client: FlaskClient) -> None:
    """In the other language, together, sorted and compared anew, and with the reasons; as the page's script asks."""
    first, second = (
        json.loads(html.unescape(re.findall(r'data-photos="(.*?)"', post(client, "/fragment/score", data).text)[0]))[0]
        for data in (PORTRAIT.read_bytes(), PORTRAIT_PNG.read_bytes())
    )
    first[0] |= {"file": "grace.jpg", "warnings": "dark;grey"}
    second[0] |= {"file": "eileen.png", "warnings": ""}
    facts = {"reference": 3.2, "score": 3.4, "regions": [{"name": "nose", "effect": 0.2}]}
    state = {"photos": [first, second], "pair": False, "why": [{"photo": 1, "face": "1", "facts": facts}]}
    shown = client.post("/fragment/show?lang=zh", json=state).text
    assert shown.index("eileen.png</span>") < shown.index("grace.jpg</span>")
    caution = Texts("zh").say("careful_compared", which="grace.jpg (照片太暗、照片是黑白的)")
    assert caution in shown
    assert re.search(r"鼻子</th>[\s\S]*\+0\.20", shown)
    assert "data:image" not in shown
    for wrong in (None, {}, {**state, "photos": [[]]}, {**state, "photos": [[{"file": 1}]]}, {**state, "why": [1]}):
        assert error(client.post("/fragment/show", json=wrong)) == (422, "no_photos")


def test_the_guide_can_be_kept_and_needs_no_server(client: FlaskClient) -> None:
    kept = client.get("/guide?lang=zh&keep=1")
    assert "attachment" in kept.headers["Content-Disposition"]
    assert all(Texts("zh")[word] in kept.text for word in WARNINGS)
    assert not re.search(r"<script|<link[^>]*stylesheet|<img|<a ", kept.text)
    assert Texts("en")["guide_margin"] in client.get("/guide?lang=en").text


def test_the_sample_is_that_of_the_examples_and_needs_no_script(client: FlaskClient) -> None:
    with Image.open(STATIC / "eileen_collins.jpg") as sample, Image.open(PORTRAIT_PNG) as example:
        assert np.abs(np.asarray(sample, float) - np.asarray(example.convert("RGB"), float)).mean() < 3  # a JPEG of it
    page = client.post("/", data={"sample": "1"}).text
    assert '<span class="file">eileen_collins.jpg' in page
    assert "public domain" in page


def test_before_and_after_needs_two_faces(client: FlaskClient) -> None:
    for photos in ([PORTRAIT.read_bytes()], [PORTRAIT.read_bytes(), b"text"], [PORTRAIT.read_bytes(), faces(2)]):
        assert Texts("en")["pair_needs"] in post(client, "/fragment/score", *photos, pair="1").text


def test_without_scripts_the_form_alone_gives_score_and_reasons(other: FlaskClient) -> None:
    html = post(other, "/?lang=zh", PORTRAIT.read_bytes(), why="1").text
    assert Texts("zh")["why_title"] in html
    assert all(Texts("zh")[name] in html for name in NAMES)
    assert re.search(r"[+-]\d\.\d\d", html)
    wrong = other.post("/", data={})
    assert wrong.status_code == 422
    assert "Please choose 1 to 12 photos." in wrong.text
    large = other.post("/", data=bytes(2 * UPLOAD), content_type="multipart/form-data; boundary=x")
    assert (large.status_code, large.mimetype) == (413, "text/html")


def test_effects_that_failed_their_test_are_not_shown(tmp_path: Path) -> None:
    agreement = {"photos": 3, "pearson": 0.9, "mean_difference": 0.1, "first": 0.5}

    def shown(number: int, **maps: str) -> str:
        results = {
            "maps": {"network": "x", "result": maps},
            "baselines": {"network": "x", "result": agreement},
        }
        folder = tmp_path / str(number)
        folder.mkdir()
        with brightness_scorer(folder, explanations=results) as scorer, running(scorer) as app:
            lines = post(app.test_client(), "/fragment/why?lang=zh", PORTRAIT.read_bytes()).text.splitlines()
        return str(json.loads(lines[-1])["html"])

    texts = Texts("zh")
    good, bad, unknown = shown(1, regions="beats edges"), shown(2, regions="fails the test: no"), shown(3)
    assert texts["not_shown"] in bad
    assert "<table" not in bad
    assert "<img" not in bad
    assert texts["passed"] in good
    assert texts.say("measured_on", network="x") in good
    assert texts["untested"] in unknown
    assert all("<table" in html and "0.90" in html and "50 %" in html for html in (good, unknown))


def test_a_mistake_while_explaining_is_a_line(client: FlaskClient) -> None:
    answer = post(client, "/fragment/why?lang=zh", b"text")
    (line,) = answer.text.splitlines()
    assert json.loads(line) == {"error": {"code": "unreadable", "message": Texts("zh")["unreadable"]}}


def test_people_are_told_in_their_language_and_programs_in_english(client: FlaskClient) -> None:
    photos = [b"text"] * 13
    for address, message in (
        ("/fragment/score?lang=zh", "请选择 1 到 12 张照片。"),
        ("/api/score?lang=zh", "Expected 1 to 12"),
    ):
        answer = post(client, address, *photos)
        assert error(answer) == (422, "no_photos")
        assert message in answer.get_json()["error"]["message"]


def test_page_says_where_a_photo_goes(client: FlaskClient) -> None:
    assert Texts("en")["private"] in client.get("/").text
    assert Texts("en")["private_there"] in client.get("/", environ_base={"REMOTE_ADDR": "192.168.1.7"}).text


def test_figures_of_weights_without_a_test_part_are_those_of_their_recipe(app: flask.Flask) -> None:
    card = registry.load_card("six_block_scut")
    assert (card.metrics, knowledge.measured(card).name) == ({}, "six_block_scut_60-40")
    assert knowledge.measured(service_of(app).scorer.card).name == registry.EVALUATED
    page = app.test_client().get("/").text
    assert "six_block_60-40, on photos it has not learnt from" in page
    assert page.index("points of 1 to 5") < page.index("points of 1 to 10")  # each data set's errors on its own scale


def test_tint_colours_what_raises_and_what_lowers() -> None:
    picture = np.full((2, 2, 3), 100, np.uint8)
    shares = np.array([[0.0, 1.0], [-1.0, 5.0]])
    tinted = tint(picture, shares)
    assert tinted[0, 0].tolist() == [100] * 3
    assert tinted[0, 1].tolist() == [round(25 + 0.75 * c) for c in ImageColor.getrgb(RAISES)]
    assert tinted[1, 0].tolist() == [round(25 + 0.75 * c) for c in ImageColor.getrgb(LOWERS)]
    assert tinted[1, 1].tolist() == tinted[0, 1].tolist()  # no deeper than the end of the scale

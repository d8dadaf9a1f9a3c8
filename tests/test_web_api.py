"""The API: what it answers, every kind of bad upload, and whether its description is true of it."""

import io
import json
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask
import pytest
import schemathesis
from conftest import PORTRAIT, PORTRAIT_PNG
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from PIL import Image
from web_support import SCALE, UPLOAD, brightness_scorer, error, faces, jpeg, post, running

from beauty_evaluate import __version__
from beauty_evaluate.faces.regions import NAMES
from beauty_evaluate.scoring.records import COLUMNS
from beauty_evaluate.scoring.scorer import Scorer
from beauty_evaluate.web.schemas import row_schema, schema_of

LINES = {"Accept": "application/x-ndjson"}


def small(path: Path) -> bytes:
    """A photo of some 15 kB: werkzeug's client puts larger requests into files, which it leaves open."""
    photo, file = Image.open(path).convert("RGB"), io.BytesIO()
    photo.thumbnail((250, 250))
    photo.save(file, "JPEG")
    return file.getvalue()


PHOTOS = [small(PORTRAIT), small(PORTRAIT_PNG), small(PORTRAIT)[:5000], b"", b"text"]
schemathesis.openapi.format("binary", st.sampled_from(PHOTOS) | st.binary(max_size=200))


@schemathesis.serializer("image/*")
def picture(ctx: Any, value: Any) -> Any:
    """A picture as the body itself; what is no picture is sent as bytes all the same."""
    return bytes(value) if isinstance(value, bytes) else str(value).encode()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[flask.Flask]:
    """With a rater that answers at once."""
    with brightness_scorer(tmp_path_factory.mktemp("brightness")) as scorer, running(scorer) as app:
        yield app


@pytest.fixture
def client(app: flask.Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="module")
def api(app: flask.Flask) -> Any:
    return schemathesis.openapi.from_wsgi("/api/openapi.json", app)


schema = schemathesis.pytest.from_fixture("api")
# a photo that cannot be read is a file all the same: the description cannot tell, and the answer is 422
UNTOLD = [schemathesis.checks.positive_data_acceptance]


@schema.parametrize()
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_answers_are_as_described(case: Any) -> None:
    # an empty list of faces is no field in a form, as if none were named
    more = [schemathesis.checks.negative_data_rejection] if case.path == "/api/explain" else []
    case.call_and_validate(excluded_checks=UNTOLD + more)


def test_description_names_every_address(api: Any) -> None:
    app: flask.Flask = api.app
    served = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/")}
    assert (served - {"/api/openapi.json"}) | {"/health"} == set(api.raw_schema["paths"])


def test_description_takes_types_from_annotations_and_limits_from_the_scale(client: FlaskClient) -> None:
    row = client.get("/api/openapi.json").get_json()["components"]["schemas"]["Row"]
    assert row == row_schema(SCALE)
    assert list(row["properties"]) == COLUMNS
    kinds = {name: value["type"] for name, value in row["properties"].items()}
    assert (kinds["file"], kinds["face"], kinds["score"]) == ("string", "integer", ["number", "null"])
    assert [row["properties"]["score"][end] for end in ("minimum", "maximum")] == [SCALE.low, SCALE.high]


class Interval:
    """A class whose name holds `int`, which is no number."""


@pytest.mark.parametrize("hint", [Interval, Interval | None, dict[str, int], tuple[int, str]], ids=str)
def test_a_type_without_schema_is_refused(hint: Any) -> None:
    with pytest.raises(TypeError, match="Expected a type of"):
        schema_of(hint)


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        (int | None, {"type": ["integer", "null"]}),
        (typing.Optional[str], {"type": ["string", "null"]}),  # noqa: UP045
        (tuple[float, ...], {"type": "array", "items": {"type": "number"}}),
        (typing.Literal["a", "b"], {"enum": ["a", "b"]}),
        (bool, {"type": "boolean"}),
    ],
    ids=str,
)
def test_types_become_schemas(hint: Any, expected: dict[str, Any]) -> None:
    assert schema_of(hint) == expected


def test_health_says_which_weights_answer(client: FlaskClient) -> None:
    answer = client.get("/health").get_json()
    assert answer == {"status": "ok", "version": __version__, "weights": "brightness"}


def test_scores_are_the_rows_of_the_command() -> None:
    with running(Scorer()) as app:
        client = app.test_client()
        rows = post(client, "/api/score", PORTRAIT.read_bytes(), PORTRAIT_PNG.read_bytes()).get_json()["rows"]
    assert [set(row) for row in rows] == [set(COLUMNS)] * 2
    for row, path in zip(rows, (PORTRAIT, PORTRAIT_PNG), strict=True):
        (expected,) = Scorer().score(path)
        assert row["score"] == pytest.approx(expected.score, abs=2e-4)
        assert (row["status"], row["x"]) == ("ok", expected.x)
        assert row["percentile"] == pytest.approx(expected.percentile, abs=0.1)


@pytest.mark.parametrize("kind", ["image/jpeg", "image/unheard-of", "application/octet-stream"])
def test_a_picture_as_the_body_is_scored_and_explained(client: FlaskClient, kind: str) -> None:
    photo = PORTRAIT.read_bytes()
    (row,) = client.post("/api/score?name=me.jpg", data=photo, content_type=kind).get_json()["rows"]
    (form,) = post(client, "/api/score", photo).get_json()["rows"]
    assert row == {**form, "file": "me.jpg"}
    for face, status in (("1", 200), ("2", 422)):
        answer = client.post(f"/api/explain?face={face}", data=photo, content_type=kind)
        assert answer.status_code == status
    assert error(client.post("/api/score", data=bytes(UPLOAD + 100_000), content_type=kind)) == (413, "too_large")
    assert error(client.post("/api/score", data=b"", content_type=kind)) == (422, "unreadable")


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


def test_where_nothing_could_be_scored_the_answer_is_an_error_with_the_rows(client: FlaskClient) -> None:
    blank = jpeg(Image.new("RGB", (300, 300)))
    for photos, code in (
        ([b"text"], "unreadable"),
        ([blank, blank], "no_face"),
        ([b"text", blank], "nothing_scored"),
    ):
        answer = post(client, "/api/score", *photos)
        assert error(answer) == (422, code)
        rows = answer.get_json()["rows"]
        assert [row["score"] for row in rows] == [None] * len(photos)
        assert all(row["error"] for row in rows)


def test_requests_that_cannot_be_answered_say_why(client: FlaskClient) -> None:
    photo = PORTRAIT.read_bytes()
    assert error(client.post("/api/score")) == (422, "no_photos")
    assert error(client.post("/api/score", data=photo)) == (422, "no_photos")
    assert error(client.post("/api/score", data={"photo": "text, not a file"})) == (422, "no_photos")
    assert error(post(client, "/api/score", *[photo] * 13)) == (422, "no_photos")
    assert error(post(client, "/api/score", bytes(UPLOAD + 100_000))) == (413, "too_large")
    assert error(post(client, "/api/explain", photo, photo)) == (422, "no_photos")
    assert error(post(client, "/api/explain", b"text")) == (422, "unreadable")
    for face in ("0", "2", "-1", "one", "9999", "²"):
        assert error(post(client, "/api/explain", photo, face=face)) == (422, "no_face")
    assert error(post(client, "/api/explain", photo, face=["1", "1"])) == (422, "no_face")
    assert error(post(client, "/api/explain?face=1", photo, face="1")) == (422, "no_face")
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


def test_explanations_add_up_and_tell_their_progress(client: FlaskClient) -> None:
    answer = post(client, "/api/explain", PORTRAIT.read_bytes(), headers=LINES)
    *steps, last = [json.loads(line) for line in answer.text.splitlines()]
    assert [step["done"] for step in steps] == sorted(step["done"] for step in steps)
    assert steps[-1]["done"] == steps[-1]["total"]
    explanation = last["explanation"]
    assert [region["name"] for region in explanation["regions"]] == list(NAMES)
    total = explanation["reference"] + sum(region["effect"] for region in explanation["regions"])
    assert total == pytest.approx(explanation["score"], abs=1e-3)
    assert max(abs(region["effect"]) for region in explanation["regions"]) > 0.1
    assert sum(region["area"] for region in explanation["regions"]) == pytest.approx(1, abs=1e-3)


def test_sheet_is_a_picture(client: FlaskClient) -> None:
    answer = post(client, "/api/sheet", PORTRAIT.read_bytes(), PORTRAIT_PNG.read_bytes())
    assert answer.mimetype == "image/png"
    assert Image.open(io.BytesIO(answer.data)).width > 400

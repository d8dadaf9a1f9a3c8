"""The API against its own description: whatever is sent, the answer is one that the description names."""

import io
from pathlib import Path
from typing import Any

import flask
import pytest
import schemathesis
from conftest import PORTRAIT, PORTRAIT_PNG
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from PIL import Image

from beauty_evaluate.scoring.scorer import Scorer
from beauty_evaluate.web.app import create_app


def small(path: Path) -> bytes:
    """A photo of some 15 kB: werkzeug's client puts larger requests into files, which it leaves open."""
    photo, file = Image.open(path).convert("RGB"), io.BytesIO()
    photo.thumbnail((250, 250))
    photo.save(file, "JPEG")
    return file.getvalue()


PHOTOS = [small(PORTRAIT), small(PORTRAIT_PNG), small(PORTRAIT)[:5000], b"", b"text"]
schemathesis.openapi.format("binary", st.sampled_from(PHOTOS) | st.binary(max_size=200))


@pytest.fixture(scope="module")
def api(drawn_run: Path) -> Any:
    app = create_app(Scorer(str(drawn_run / "weights" / "drawn.json")))
    app.extensions["desk"].patience = 3600
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
    assert served - {"/api/openapi.json"} == set(api.raw_schema["paths"])

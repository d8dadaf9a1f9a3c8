"""What the tests of the page share: a rater that rates at once, photos, and requests."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import flask
import numpy as np
import pytest
from conftest import PORTRAIT
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from beauty_evaluate.config import CropConfig, RatingScale, ScaleMap
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.card import Card, TrainedOn
from beauty_evaluate.raters.rater import Ratings
from beauty_evaluate.scoring.scorer import Scorer
from beauty_evaluate.settings import Checked
from beauty_evaluate.web.app import create_app
from beauty_evaluate.web.requests import SERVICE
from beauty_evaluate.web.service import ScoringService

UPLOAD = 4 << 20
SCALE = RatingScale(0, 10)
METRICS: dict[str, dict[str, dict[str, float | None]]] = {
    "Postcards": {
        "all": {"pearson": 0.71, "mae": 0.81},
        "left-handed": {"pearson": None, "mae": 0.5},
        "mean_baseline": {"pearson": None, "mae": 0.99},
    },
    "Street photos": {"all": {"pearson": 0.43, "mae": None}, "human": {"pearson": 0.585}},
}


@dataclass(frozen=True)
class BrightnessConfig(Checked):
    """The config of the family `brightness`. bonus: added to every rating."""

    preset: str = "brightness"
    crop: CropConfig = field(default_factory=lambda: CropConfig(size=64))
    bonus: float = 0.0
    family: Literal["brightness"] = "brightness"


class Brightness:
    """Rates how bright a face is."""

    needs = frozenset({"crop"})

    def __init__(self, card: Card) -> None:
        assert isinstance(card.config, BrightnessConfig)
        self.card, self.config, self.name, self.scale = card, card.config, card.name, card.scale

    def rate(self, faces: Sequence[Face]) -> Ratings:
        shares = np.array([face.crop(self.config.crop).mean() / 255 for face in faces], float)
        return Ratings(self.scale.low + (self.scale.high - self.scale.low) * shares + self.config.bonus)


@contextmanager
def brightness_scorer(folder: Path, **changes: Any) -> Iterator[Scorer]:
    """A scorer on another scale, of a family of its own. changes: of the card."""
    part = TrainedOn("Postcards", "all", SCALE, ScaleMap(), {}, ())
    values = {"config": BrightnessConfig(), "trained_on": (part,), "metrics": METRICS, "folder": folder, **changes}
    path = cards.write(Card("brightness", scale=SCALE, **values))
    row = registry.Family(BrightnessConfig, lambda card, runtime, threads: Brightness(card))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry.FAMILIES, "brightness", row)
        yield Scorer(str(path))


@contextmanager
def running(scorer: Scorer) -> Iterator[flask.Flask]:
    """The application of a scorer, with all the time it takes."""
    app = create_app(scorer, upload=UPLOAD)
    app.testing = True
    service_of(app).time_limit = 3600  # however busy the machine is
    yield app
    service_of(app).close()


def service_of(app: flask.Flask) -> ScoringService:
    service: ScoringService = app.extensions[SERVICE]
    return service


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
    body = answer.get_json()["error"]
    assert set(body) == {"code", "message"}
    assert body["message"]
    assert "\n" not in body["message"]
    return answer.status_code, body["code"]

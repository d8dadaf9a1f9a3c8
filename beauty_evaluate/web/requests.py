"""What a request brings: photos, the number of a face, a language."""

import flask

from beauty_evaluate.errors import PhotoError
from beauty_evaluate.web.i18n import LANGUAGES, Texts
from beauty_evaluate.web.openapi import MOST_FACE
from beauty_evaluate.web.service import ScoringService

SERVICE = "scoring_service"  # key of the app's extensions


def service() -> ScoringService:
    """What scores, of this application."""
    scoring: ScoringService = flask.current_app.extensions[SERVICE]
    return scoring


def texts() -> Texts:
    """The page's words in the language of the link, or of the browser."""
    asked = flask.request.args.get("lang", "")
    return Texts(asked if asked in LANGUAGES else flask.request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0])


def photos() -> list[tuple[str, bytes]]:
    """Names and contents of the photos: the files of a form, or the body itself where it is a picture."""
    if flask.request.mimetype.startswith("image/") or flask.request.mimetype == "application/octet-stream":
        return [(flask.request.args.get("name", ""), flask.request.get_data(cache=False))]
    return [(str(file.filename), file.read()) for file in flask.request.files.getlist("photo") if file]


def photo_and_face() -> tuple[bytes, int]:
    """The one photo of the request, and which of its faces is meant. Raises PhotoError."""
    sent = photos()
    if len(sent) != 1:
        raise PhotoError("no_photos", f"Expected one photo. Received: {len(sent)}.")
    numbers = flask.request.args.getlist("face") + flask.request.form.getlist("face")
    number, *more = numbers or ["1"]
    if more or not (number.isascii() and number.isdigit() and 1 <= int(number) <= MOST_FACE):
        raise PhotoError("no_face", f"`face` is one number from 1 to {MOST_FACE}, counted from the left.")
    return sent[0][1], int(number)


def reserve_memory() -> None:
    """Before a request is read: see that there is memory for it. Raises Busy."""
    size = flask.request.content_length or 0
    service().reserve(size)
    flask.g.reserved = size


def release_memory(error: BaseException | None) -> None:
    """After it was answered."""
    service().release(flask.g.pop("reserved", 0))

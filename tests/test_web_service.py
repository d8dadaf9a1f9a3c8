"""What the page does when much is asked at once, when time runs out, and when something breaks."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import flask
import pytest
from conftest import PORTRAIT
from web_support import brightness_scorer, error, post, running, service_of
from werkzeug.test import TestResponse

from beauty_evaluate.scoring.scorer import Scorer
from beauty_evaluate.web import replies, service

LINES = {"Accept": "application/x-ndjson"}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[flask.Flask]:
    """With a rater that answers at once."""
    with brightness_scorer(tmp_path_factory.mktemp("brightness")) as scorer, running(scorer) as app:
        yield app


def test_when_all_threads_are_busy_the_next_is_refused() -> None:
    executor, may_end = service.BoundedExecutor(1, 1), threading.Event()
    futures = [executor.submit(may_end.wait) for _ in range(2)]
    with pytest.raises(service.Busy):
        executor.submit(may_end.wait)
    may_end.set()
    assert [future.result() for future in futures] == [True, True]
    assert executor.submit(lambda: 7).result() == 7
    executor.close()
    with pytest.raises(service.Busy):
        executor.submit(lambda: 7)


def test_nobody_works_for_a_client_who_went_away(app: flask.Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    executor, jobs = service.BoundedExecutor(1, 0), []

    def endless(data: bytes, face: int, progress: Callable[[int, int], None], deadline: float) -> Any:
        def job() -> None:
            while True:
                progress(1, 2)

        jobs.append(executor.submit(job))
        return jobs[0]

    monkeypatch.setattr(service_of(app), "explain", endless)
    answer = post(app.test_client(), "/api/explain", PORTRAIT.read_bytes(), headers=LINES)
    assert json.loads(next(answer.iter_encoded())) == {"done": 1, "total": 2}
    answer.close()
    assert isinstance(jobs[0].exception(60), replies.ClientGone)


def test_a_bug_while_explaining_is_a_line(app: flask.Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scorer, "explain", lambda *args, **named: 1 / 0)
    answer = post(app.test_client(), "/api/explain", PORTRAIT.read_bytes(), headers=LINES)
    assert json.loads(answer.text)["error"]["code"] == "broken"


def test_memory_is_reserved_before_a_request_is_read(app: flask.Flask) -> None:
    client, scoring = app.test_client(), service_of(app)
    scoring.reserve(service.MEMORY)
    assert error(post(client, "/api/score", PORTRAIT.read_bytes())) == (503, "busy")
    scoring.release(service.MEMORY)
    for photo in (PORTRAIT.read_bytes(), b"text"):
        post(client, "/api/score", photo)
        client.post("/api/score", data=photo, content_type="image/jpeg")
        post(client, "/api/explain", photo[:100], headers=LINES)
    scoring.reserve(service.MEMORY)  # all of it was released
    scoring.release(service.MEMORY)


def test_a_service_that_closes_gives_up_what_waits(app: flask.Flask) -> None:
    scoring = service.ScoringService(service_of(app).scorer, 1)
    data, deadline = PORTRAIT.read_bytes(), scoring.deadline() + 3600
    begun, go_on = threading.Event(), threading.Event()

    def progress(done: int, total: int) -> None:
        begun.set()
        go_on.wait()

    running_job, waiting = (scoring.explain(data, 1, progress, deadline) for _ in range(2))
    begun.wait()
    scoring.close()
    go_on.set()
    for job in (running_job, waiting):
        with pytest.raises(service.Busy):
            scoring.result(job, deadline)


def refusing(app: flask.Flask, monkeypatch: pytest.MonkeyPatch, job: Callable[..., Any]) -> TestResponse:
    monkeypatch.setattr(service_of(app), "score", job)
    return post(app.test_client(), "/api/score", PORTRAIT.read_bytes())


def test_busy_and_late_requests_are_told_when_to_come_again(app: flask.Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(photos: Any, deadline: float) -> None:
        raise service.Busy

    answer = refusing(app, monkeypatch, busy)
    assert error(answer) == (503, "busy")
    assert int(answer.headers["Retry-After"]) > 0
    monkeypatch.undo()
    scoring = service_of(app)
    monkeypatch.setattr(scoring, "time_limit", -1.0)
    for address in ("/api/score", "/api/explain"):
        assert error(post(app.test_client(), address, PORTRAIT.read_bytes())) == (503, "too_long")
    with pytest.raises(service.TooLong):  # a job that goes on is not waited for
        scoring.result(Future[Any](), scoring.deadline())
    with pytest.raises(service.TooLong):  # and one whose turn comes too late is not begun
        scoring._score_one("", b"", scoring.deadline())


def test_our_own_bug_is_told_without_its_inside(app: flask.Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(photos: Any, deadline: float) -> None:
        raise ZeroDivisionError("secret")

    app.testing = False  # which hands bugs on to the test
    try:
        answer = refusing(app, monkeypatch, broken)
    finally:
        app.testing = True
    assert error(answer) == (500, "broken")
    assert b"secret" not in answer.data

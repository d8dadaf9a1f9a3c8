import copy
import multiprocessing
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from beauty_evaluate import errors, images
from beauty_evaluate.errors import PhotoError, UserError

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, UserError)]


def by_pickle(error: UserError) -> UserError:
    return pickle.loads(pickle.dumps(error))  # type: ignore[no-any-return]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("again", [by_pickle, copy.copy, copy.deepcopy])
def test_every_error_comes_back_as_it_was(kind: type[UserError], again: Callable[[UserError], UserError]) -> None:
    message = "What went wrong; the cure."
    error = PhotoError("several_faces", message, 3) if kind is PhotoError else kind(message)
    error.add_note("and a note")
    back = again(error)
    assert type(back) is kind
    assert (str(back), back.args, vars(back)) == (message, error.args, vars(error))


def test_all_kinds_are_tried() -> None:
    assert {kind.__name__ for kind in KINDS} >= {"UserError", "ConfigError", "DataError", "WeightsError", "PhotoError"}


def test_a_pool_survives_a_bad_photo(tmp_path: Path) -> None:
    """An error that cannot be unpickled kills the thread that collects results: the caller then waits for ever."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        with pytest.raises(PhotoError, match="No such file") as caught:
            pool.apply_async(images.read, (str(tmp_path / "none.jpg"),)).get(timeout=120)
        assert (caught.value.status, caught.value.faces) == ("missing", 0)

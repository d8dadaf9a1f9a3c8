"""Every example in the documentation of the package runs, and every public name has one."""

import doctest
import importlib
import inspect
import os
from collections.abc import Iterator
from types import ModuleType

import pytest
from conftest import ROOT

import beauty_evaluate

NAMES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "beauty_evaluate").rglob("*.py")
    if path.stem != "__main__"
)


def examples_in(module: ModuleType) -> Iterator[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    yield from (test for test in finder.find(module, module.__name__) if test.examples)


@pytest.mark.parametrize("name", NAMES)
def test_examples_run(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    module = importlib.import_module(name)
    monkeypatch.chdir(ROOT)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    said: list[str] = []
    for test in examples_in(module):
        runner.run(test, out=said.append)
    assert runner.failures == 0, "".join(said)


def test_public_names_have_an_example() -> None:
    lacking = [
        name
        for name in beauty_evaluate.__all__
        if name != "__version__" and ">>>" not in (inspect.getdoc(getattr(beauty_evaluate, name)) or "")
    ]
    assert lacking == []
    assert os.getcwd()  # an example that changed the folder would leave the others nowhere

"""Rate faces as human raters did on average, see what moved a score, train and evaluate raters of your own.

Public names are imported when they are first used: `import beauty_evaluate` costs nothing.

Example:
    >>> import beauty_evaluate
    >>> [round(row.score, 2) for row in beauty_evaluate.score("examples/eileen_collins.png")]
    [3.33]
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from beauty_evaluate.datasets.registry import read as read_data_set
    from beauty_evaluate.errors import PhotoError, UserError
    from beauty_evaluate.evaluation.evaluate import evaluate
    from beauty_evaluate.explain.job import explain as explain_face
    from beauty_evaluate.raters.registry import load as load_rater
    from beauty_evaluate.scoring.batch import score
    from beauty_evaluate.scoring.compare import compare
    from beauty_evaluate.scoring.rows import Row
    from beauty_evaluate.scoring.scorer import Scorer
    from beauty_evaluate.training.job import train

__all__ = [
    "PhotoError", "Row", "Scorer", "UserError", "__version__", "compare", "evaluate", "explain_face", "load_rater",
    "read_data_set", "score", "train",
]  # fmt: skip
__version__ = "0.2.0"

_PUBLIC = {  # where each name stands; `explain` is the name of a room
    "PhotoError": ("errors", "PhotoError"),
    "Row": ("scoring.rows", "Row"),
    "Scorer": ("scoring.scorer", "Scorer"),
    "UserError": ("errors", "UserError"),
    "compare": ("scoring.compare", "compare"),
    "evaluate": ("evaluation.evaluate", "evaluate"),
    "explain_face": ("explain.job", "explain"),
    "load_rater": ("raters.registry", "load"),
    "read_data_set": ("datasets.registry", "read"),
    "score": ("scoring.batch", "score"),
    "train": ("training.job", "train"),
}


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        from importlib import import_module

        module, attribute = _PUBLIC[name]
        return getattr(import_module(f"beauty_evaluate.{module}"), attribute)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

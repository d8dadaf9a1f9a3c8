"""A convolutional network, trained from scratch, that rates faces as 60 raters of SCUT-FBP5500 did."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from beauty_evaluate.errors import PhotoError, UserError
    from beauty_evaluate.scoring.scorer import Row, Scorer

__all__ = ["PhotoError", "Row", "Scorer", "UserError", "__version__"]
__version__ = "0.2.0"

_PUBLIC = {"Scorer": "scoring.scorer", "Row": "scoring.scorer", "PhotoError": "errors", "UserError": "errors"}


def __getattr__(name: str) -> Any:
    """Public names are imported when they are first used: `import beauty_evaluate` costs nothing."""
    if name in _PUBLIC:
        from importlib import import_module

        return getattr(import_module(f"beauty_evaluate.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

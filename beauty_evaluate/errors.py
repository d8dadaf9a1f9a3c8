"""Mistakes that a user can correct. Every other exception is a bug of this project and keeps its traceback."""

from typing import Any


class UserError(Exception):
    """What went wrong and how to correct it, in one sentence. A command that meets one ends with exit code 2.

    Example:
        >>> from beauty_evaluate import images
        >>> try:
        ...     images.read("me.jpg")
        ... except UserError as error:
        ...     print(error)
        No such file: me.jpg.
    """


class ConfigError(UserError):
    """A preset, an option or a stored configuration that does not fit.

    Example:
        >>> raise ConfigError("No such preset: huge.")
        Traceback (most recent call last):
        beauty_evaluate.errors.ConfigError: No such preset: huge.
    """


class DataError(UserError):
    """A data set that lacks something a run cannot do without.

    Example:
        >>> raise DataError("No such file: ratings.csv.")
        Traceback (most recent call last):
        beauty_evaluate.errors.DataError: No such file: ratings.csv.
    """


class WeightsError(UserError):
    """Weights that are missing, changed, or made for something else.

    Example:
        >>> raise WeightsError("No such file: six_block.onnx; restore it.")
        Traceback (most recent call last):
        beauty_evaluate.errors.WeightsError: No such file: six_block.onnx; restore it.
    """


class PhotoError(UserError):
    """A photo that cannot be scored.

    Attributes:
        status: The word for the reason in tables, such as `missing`, `unreadable`, `too_large`, `no_face`.
        faces: How many faces the photo shows, as far as that is known.

    Example:
        >>> error = PhotoError("several_faces", "Expected one face. Received: 2.", faces=2)
        >>> error.status, error.faces, str(error)
        ('several_faces', 2, 'Expected one face. Received: 2.')
    """

    def __init__(self, status: str, message: str, faces: int = 0) -> None:
        super().__init__(message)
        self.status, self.faces = status, faces

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is made again from its `args` alone, here the message. Without this, a pool of processes hangs
        # for ever when a worker hands back a PhotoError.
        return type(self), (self.status, str(self), self.faces), vars(self)

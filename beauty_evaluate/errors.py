"""Mistakes that a user can mend. Everything else is our bug and keeps its traceback."""


class UserError(Exception):
    """One sentence: what was expected, what came, what to do. A command ends with exit code 2."""


class ConfigError(UserError):
    """A preset, an option or a stored configuration that does not fit."""


class DataError(UserError):
    """A data set that lacks something the run cannot do without."""


class WeightsError(UserError):
    """Weights that are missing, changed, or made for something else."""


class PhotoError(UserError):
    """A photo that cannot be scored. `status` is the word for it in tables, `faces` how many were found."""

    def __init__(self, status: str, message: str, faces: int = 0) -> None:
        super().__init__(message)
        self.status, self.faces = status, faces

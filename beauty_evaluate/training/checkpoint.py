"""A run after a whole epoch, on disk."""

import io
import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import Config
from beauty_evaluate.errors import ConfigError
from beauty_evaluate.files import write_atomic
from beauty_evaluate.settings import from_json, to_json


@dataclass
class Progress:
    """What one epoch left.

    Attributes:
        epoch: counted from 1.
        epochs: of the whole training.
        loss: mean squared error of the score on augmented photos, rating points squared.
        seconds: of this epoch.
        images_per_second: augmentation and step together.
        validation: figures on held-out photos, as `metrics.summary`; empty where nobody looked.
    """

    epoch: int
    epochs: int
    loss: float
    seconds: float
    images_per_second: float
    validation: dict[str, float] = field(default_factory=dict)


@dataclass
class Checkpoint:
    """A run after a whole epoch, in one file that is never half written.

    Attributes:
        config: the recipe.
        photos: digest of the names and scores learnt from, and of the weights begun with.
        commit: of the code that began the run.
        precision: that the trial chose.
        history: of each epoch.
        arrays: all that the next step depends on.
    """

    config: Config
    photos: str
    commit: str
    precision: str
    history: list[Progress]
    arrays: list[NDArray[Any]]

    @staticmethod
    def path(out: Path) -> Path:
        """Where a run keeps it."""
        return out / "checkpoint.npz"

    def write(self, out: Path) -> None:
        """Replace the checkpoint in `out`."""
        about = {
            "config": to_json(self.config),
            "photos": self.photos,
            "commit": self.commit,
            "precision": self.precision,
            "history": [to_json(p) for p in self.history],
        }
        buffer = io.BytesIO()
        arrays: dict[str, Any] = {f"v{i:04d}": array for i, array in enumerate(self.arrays)}
        np.savez(buffer, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays)
        write_atomic(self.path(out), buffer.getbuffer())

    @classmethod
    def read(cls, out: Path) -> "Checkpoint | None":
        """The checkpoint in `out`, None if there is none yet."""
        if not cls.path(out).exists():
            return None
        try:
            with np.load(cls.path(out)) as stored:
                about = json.loads(stored["about"].tobytes())
                arrays = [stored[name] for name in sorted(stored.files) if name != "about"]
            history = [Progress(**p) for p in about["history"]]
            config = from_json(about["config"], Config)
            return cls(config, about["photos"], about["commit"], about["precision"], history, arrays)
        except (ValueError, KeyError, TypeError, OSError, zipfile.BadZipFile, ConfigError) as error:
            raise ConfigError(
                f"{cls.path(out)} is not a checkpoint of this version ({error}). Begin anew in another folder."
            ) from error

    def check(self, config: Config, photos: str) -> None:
        """ConfigError if this is the checkpoint of another recipe, or of a run on other photos."""
        if self.config != config or self.photos != photos:
            what = "settings" if self.config != config else "photos"
            raise ConfigError(f"The run was begun with other {what}. Resume it with the options of the first run.")

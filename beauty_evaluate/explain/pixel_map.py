"""The record of all maps of what each pixel added to a score."""

from dataclasses import dataclass

import numpy as np

from beauty_evaluate.explain.baselines import Floats


@dataclass(frozen=True)
class PixelMap:
    """What each pixel added to one score: score = reference + values.sum() + completeness_error.

    Attributes:
        name: of the method.
        values: float32 (size, size), signed, rating points.
        score: the rating of the crop, not clipped.
        reference: the score that the method starts from.

    Example:
        >>> PixelMap("half", np.full((2, 2), 0.125, np.float32), 4.0, 3.0).completeness_error
        0.5
    """

    name: str
    values: Floats
    score: float
    reference: float

    @property
    def completeness_error(self) -> float:
        """The rating points between reference and score that the map leaves out (below 0: counts twice)."""
        return self.score - self.reference - float(self.values.sum(dtype=np.float64))

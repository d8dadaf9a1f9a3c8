"""When a training's rate falls, and which of its epochs is kept."""

import math
from dataclasses import dataclass
from typing import Protocol


class Schedule(Protocol):
    """The settings that it goes by."""

    @property
    def learning_rate(self) -> float:
        """At the start."""

    @property
    def plateau(self) -> int:
        """Epochs without a better loss after which it falls."""

    @property
    def plateau_factor(self) -> float:
        """By which it falls."""

    @property
    def floor(self) -> float:
        """Below which it does not fall."""


@dataclass
class Plateau:
    """The rate of a training, which falls where the loss does not.

    Example:
        >>> from beauty_evaluate.raters.transfer import FineTuningConfig
        >>> plateau = Plateau.of(FineTuningConfig(learning_rate=1e-4, plateau=2))
        >>> [plateau.is_best(loss) for loss in (0.5, 0.4, 0.4, 0.4)], plateau.rate
        ([True, True, False, False], 1e-05)
    """

    rate: float
    best: float = math.inf
    waited: int = 0
    schedule: Schedule | None = None

    @classmethod
    def of(cls, schedule: Schedule) -> "Plateau":
        """At its start."""
        return cls(schedule.learning_rate, schedule=schedule)

    def is_best(self, loss: float) -> bool:
        """Whether an epoch's loss on photos held back is the lowest so far; the rate falls where it has not been for
        too long."""
        assert self.schedule is not None
        if loss < self.best:
            self.best, self.waited = loss, 0
            return True
        self.waited += 1
        if self.waited >= self.schedule.plateau:
            lowest = min(self.schedule.floor, self.rate)
            self.rate, self.waited = max(self.rate * self.schedule.plateau_factor, lowest), 0
        return False

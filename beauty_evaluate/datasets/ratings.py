"""Single ratings: how raters spread over one face, and how far they agree with each other. NumPy only."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.config import RatingScale

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RatingSheet:
    """Every rater's rating of every face.

    Attributes:
        raters: Names of the R raters.
        faces: Names of the F samples.
        values: float64 (R, F), on `scale`; NaN where a rater did not rate a face.
        scale: The raters' scale.
        sex: The raters' sex, (R,), empty strings where unknown; () if the set does not say.

    Example:
        >>> values = np.array([[1.0, 2, 3], [1, 3, 3], [2, 2, 5]])
        >>> sheet = RatingSheet(("r1", "r2", "r3"), ("a.jpg", "b.jpg", "c.jpg"), values, RatingScale(1, 5))
        >>> sheet.mode().tolist(), sheet.histogram()[0].tolist()
        ([1, 2, 3], [2, 1, 0, 0, 0])
    """

    raters: tuple[str, ...]
    faces: tuple[str, ...]
    values: Floats
    scale: RatingScale
    sex: tuple[str, ...] = ()

    def mean(self) -> Floats:
        """Mean rating of each face, (F,); NaN for a face without a rating."""
        return _ratio(np.nansum(self.values, 0), self.counts())

    def sd(self) -> Floats:
        """Standard deviation of the ratings of each face, with divisor n - 1, (F,); NaN for fewer than two ratings."""
        squares = np.nansum((self.values - self.mean()) ** 2, 0)
        return np.sqrt(_ratio(squares, self.counts() - 1))

    def counts(self) -> NDArray[np.int64]:
        """Number of ratings of each face, (F,)."""
        return np.asarray((~np.isnan(self.values)).sum(0), np.int64)

    def histogram(self) -> NDArray[np.int64]:
        """How many raters chose each level of the scale, (F, levels)."""
        rounded = np.floor(self.values + 0.5)
        return np.stack([(rounded == level).sum(0) for level in self.scale.levels], 1).astype(np.int64)

    def mode(self) -> NDArray[np.int64]:
        """The level that most raters chose, (F,); the lower one of a tie."""
        return np.asarray(self.histogram().argmax(1) + self.scale.levels[0], np.int64)

    def rater_agreement(self) -> Floats:
        """PC of each rater with the mean of all others, (R,), over the faces that both rated.

        NaN for a rater who gave everyone the same rating.
        """
        rated = ~np.isnan(self.values)
        values = np.where(rated, self.values, 0.0)
        others = _ratio(values.sum(0) - values, rated.sum(0) - rated)
        return _row_pearson(values, others, rated & ~np.isnan(others))

    def one_rater_pc(self, least_sd: float = 0.0) -> float:
        """PC of one rater with the mean of the others, averaged over the raters: what one human reaches.

        Args:
            least_sd: In points. Raters whose ratings vary less are left out, as are always those who gave everyone the
                same. The London set gives .590 with all others, .593 with those above half a point.
        """
        agreement = self.rater_agreement()
        mean = _ratio(np.nansum(self.values, 1), (~np.isnan(self.values)).sum(1))
        sd = np.sqrt(_ratio(np.nansum((self.values - mean[:, None]) ** 2, 1), (~np.isnan(self.values)).sum(1)))
        judged = agreement[~np.isnan(agreement) & (sd >= least_sd)]
        return float(judged.mean()) if len(judged) else float("nan")

    def one_rater_errors(self) -> tuple[float, float]:
        """MAE and RMSE of one rater against the mean of the others, in points, averaged over the raters; NaN if nobody
        shares a face with another.

        Example:
            >>> RatingSheet(("r1", "r2"), ("a.jpg", "b.jpg"), np.array([[1.0, 2], [2, 2]]), RatingScale(1, 5)
            ... ).one_rater_errors()[0]
            0.5
        """
        rated = ~np.isnan(self.values)
        others = _ratio(np.nansum(self.values, 0) - np.where(rated, self.values, 0), rated.sum(0) - rated)
        errors = np.abs(self.values - others)
        n = (~np.isnan(errors)).sum(1)
        if not n.any():
            return float("nan"), float("nan")
        mae, mse = (_ratio(np.nansum(errors**power, 1), n)[n > 0] for power in (1, 2))
        return float(mae.mean()), float(np.sqrt(mse).mean())

    def of_faces(self, names: Iterable[str]) -> "RatingSheet":
        """The sheet of some faces; those it does not have are left out."""
        place = {face: i for i, face in enumerate(self.faces)}
        faces = tuple(name for name in names if name in place)
        return replace(self, faces=faces, values=self.values[:, [place[face] for face in faces]])

    def split_half_pc(self, rounds: int = 100, seed: int = 0) -> float:
        """PC between the mean ratings of two random halves of the raters, averaged over `rounds` halvings."""
        rng = np.random.default_rng(seed)
        correlations = []
        for _ in range(rounds):
            order = rng.permutation(len(self.raters))
            a, b = (self.only(half).mean() for half in np.array_split(order, 2))
            correlations.append(_row_pearson(a[None], b[None], ~np.isnan(a + b)[None])[0])
        return float(np.mean(correlations))

    def only(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "RatingSheet":
        """The sheet of some raters: their indices, or bool (R,)."""
        picked = np.arange(len(self.raters))[rows]
        sex = tuple(self.sex[i] for i in picked) if self.sex else ()
        return replace(self, raters=tuple(self.raters[i] for i in picked), values=self.values[picked], sex=sex)

    def by_sex(self, least: int = 10) -> dict[str, "RatingSheet"]:
        """The sheets of raters of one sex, for each that at least `least` raters gave."""
        sexes = np.array(self.sex)
        names = [name for name in sorted(set(self.sex)) if name and (sexes == name).sum() >= least]
        return {name: self.only(sexes == name) for name in names}

    def sd_by_group(self, groups: Mapping[str, str]) -> dict[str, Floats]:
        """The SDs of the faces of each group.

        Args:
            groups: The group of each face, by name; faces without one are left out.

        Returns:
            float64 arrays of SDs, in rating points, by group in alphabetical order.
        """
        sd = self.sd()
        labels = np.array([groups.get(face, "") for face in self.faces])
        return {name: sd[labels == name] for name in sorted(set(labels.tolist())) if name}


def _ratio(numerator: Floats, denominator: NDArray[np.int64]) -> Floats:
    """numerator / denominator, NaN where the denominator is not positive."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    quotient = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient


def _row_pearson(a: Floats, b: Floats, used: NDArray[np.bool_]) -> Floats:
    """PC of each row of two (R, F) arrays over the faces where `used`; NaN where one side is constant."""
    n = used.sum(1)
    a, b = (np.where(used, side - _ratio(np.where(used, side, 0).sum(1), n)[:, None], 0) for side in (a, b))
    scale = np.sqrt((a**2).sum(1) * (b**2).sum(1))
    quotient = np.full(len(a), np.nan)
    np.divide((a * b).sum(1), scale, out=quotient, where=scale > 1e-12)
    return quotient

"""Learning a rule from features, with scikit-learn; what is left are arrays."""

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from beauty_evaluate.errors import ConfigError
from beauty_evaluate.raters.geometry import RuleConfig
from beauty_evaluate.raters.regressors import Dense, Regressor, Trees

Floats = NDArray[np.float64]


def fit_rule(config: RuleConfig, features: Floats, scores: Floats) -> Regressor:
    """A rule from standardised features to scores.

    Args:
        config: which kind, and how it learns.
        features: (N, F), standardised.
        scores: (N,), rating points.

    Raises:
        ConfigError: scikit-learn is not there, and the kind is not ridge.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(50, 2))
        >>> rule = fit_rule(RuleConfig(penalty=1e-6), x, 3 + x[:, 0])
        >>> rule(np.array([[1.0, 0.0]])).round(3).tolist()
        [4.0]
    """
    learners: dict[str, Callable[[RuleConfig, Floats, Floats], Regressor]]
    learners = {"ridge": _ridge, "boosting": _boosting, "mlp": _mlp}
    return learners[config.kind](config, features, scores)


def _ridge(config: RuleConfig, features: Floats, scores: Floats) -> Dense:
    """Hoerl & Kennard 1970, in closed form."""
    mean, centre = scores.mean(), features.mean(0)
    centred = features - centre
    gram = centred.T @ centred + config.penalty * np.eye(features.shape[1])
    kernel = np.linalg.solve(gram, centred.T @ (scores - mean))
    return Dense((kernel[:, None],), (np.array([mean - centre @ kernel]),))


def _boosting(config: RuleConfig, features: Floats, scores: Floats) -> Trees:
    """Stochastic gradient boosting (Friedman 2002) by scikit-learn, its trees laid in a row."""
    try:
        from sklearn.ensemble import GradientBoostingRegressor
    except ImportError as error:
        raise _missing() from error
    learner = GradientBoostingRegressor(
        n_estimators=config.trees, max_depth=config.depth, learning_rate=config.learning_rate,
        subsample=config.photo_share, max_features=config.feature_share, min_samples_leaf=config.leaf_photos,
        random_state=config.seed,
    ).fit(features, scores)  # fmt: skip
    trees = [tree.tree_ for tree in learner.estimators_[:, 0]]
    roots = np.cumsum([0, *(tree.node_count for tree in trees[:-1])])

    def shifted(name: str) -> NDArray[np.int64]:
        children = (getattr(tree, name) for tree in trees)
        return np.concatenate([np.where(c < 0, -1, c + root) for c, root in zip(children, roots, strict=True)])

    return Trees(
        roots,
        np.concatenate([np.maximum(tree.feature, 0) for tree in trees]),
        np.concatenate([tree.threshold for tree in trees]),
        shifted("children_left"),
        shifted("children_right"),
        config.learning_rate * np.concatenate([tree.value[:, 0, 0] for tree in trees]),
        float(scores.mean()),
    )


def _mlp(config: RuleConfig, features: Floats, scores: Floats) -> Dense:
    """The mean of some networks from different first weights, by scikit-learn, laid side by side as one network."""
    try:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.neural_network import MLPRegressor
    except ImportError as error:
        raise _missing() from error
    mean, sd = scores.mean(), max(float(scores.std()), 1e-9)
    members = []
    for member in range(config.members):
        learner = MLPRegressor(
            hidden_layer_sizes=config.hidden, alpha=config.weight_decay, batch_size=min(64, len(scores)),
            max_iter=config.epochs, early_stopping=len(scores) >= 100, random_state=config.seed + 1000 * member,
        )  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # so many epochs were asked for
            learner.fit(features, (scores - mean) / sd)
        members.append((learner.coefs_, learner.intercepts_))
    kernels, biases = [], []
    for layer in range(len(config.hidden) + 1):
        blocks, offsets = ([part[layer] for part in parts] for parts in zip(*members, strict=True))
        kernels.append(np.concatenate(blocks, axis=1) if layer == 0 else _diagonal(blocks))
        biases.append(np.concatenate(offsets))
    share = sd / config.members
    kernels[-1], biases[-1] = share * kernels[-1].sum(1, keepdims=True), np.array([mean + share * biases[-1].sum()])
    return Dense(tuple(kernels), tuple(biases))


def _diagonal(blocks: list[Floats]) -> Floats:
    """The matrix with these along its diagonal."""
    rows, columns = (np.cumsum([0, *(block.shape[axis] for block in blocks)]) for axis in (0, 1))
    matrix = np.zeros((rows[-1], columns[-1]))
    for i, block in enumerate(blocks):
        matrix[rows[i] : rows[i + 1], columns[i] : columns[i + 1]] = block
    return matrix


def _missing() -> ConfigError:
    return ConfigError("This rule is learnt with scikit-learn. Install it: pip install 'beauty_evaluate[rivals]'.")

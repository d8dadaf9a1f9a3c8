"""How weights move: AdamW in one pass over memory, its learning rate, and the running average."""

from typing import Any

import numpy as np

from beauty_evaluate.config import Config
from beauty_evaluate.raters.backend import keras, tf

HEADS = frozenset({"block1_conv1", "score", "landmarks", "groups"})  # the first layer and the last ones


class FusedAdamW(keras.optimizers.AdamW):
    """Keras' AdamW with TensorFlow's fused operation: the same numbers to rounding, a third of the time on a CPU."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Move one variable."""
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations.value + 1, tf.float32)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=self.beta_1**step,
            beta2_power=self.beta_2**step,
            lr=learning_rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )

    def _apply_weight_decay(self, variables: Any) -> None:
        remaining = 1 - self.weight_decay * tf.cast(self.learning_rate, tf.float32)
        for variable in variables:
            if self._use_weight_decay(variable):
                variable.value.assign(variable.value * remaining)


class Muon(FusedAdamW):
    """Momentum whose singular values are all made about one, for the kernels of hidden layers; AdamW for the rest.

    Jordan et al. 2024 (Muon), a convolution's kernel as a matrix of its output channels; steps are scaled as in Liu et
    al. 2025 (arXiv 2502.16982), so that rate and decay mean what they mean for AdamW. What Muon moves has a momentum
    and no velocity.
    """

    def __init__(
        self,
        learning_rate: float,
        weight_decay: float,
        momentum: float,
        group_head: bool = False,
        products: str = "bfloat16",
    ) -> None:
        """Make one.

        Args:
            learning_rate: of the first step.
            weight_decay: share of a weight that decays in a step of rate 1.
            momentum: share of the last steps' direction that stays.
            group_head: whether the head that tells groups counts as a hidden layer, as in release 0.1.
            products: dtype of the products that orthogonalise: `bfloat16`, or `float32` for processors that emulate it.
        """
        super().__init__(learning_rate, weight_decay=weight_decay)
        self.momentum, self.products = momentum, products
        self._heads = HEADS - {"groups"} if group_head else HEADS

    def build(self, variables: list[Any]) -> None:
        """Make the momentum of every variable, and the velocity of those that AdamW moves."""
        if self.built:
            return
        keras.optimizers.Optimizer.build(self, variables)
        self._momentums = self.add_optimizer_variables(variables, "momentum")
        self._velocities = [
            None if self.moves(v) else self.add_variable_from_reference(v, name="velocity") for v in variables
        ]

    def moves(self, variable: Any) -> bool:
        """Whether Muon moves a variable, and not AdamW: kernels but for the first and the heads."""
        layer = variable.path.split("/")[-2]
        return len(variable.shape) > 1 and layer not in self._heads

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Move one variable."""
        index = self._get_variable_index(variable)
        if self._velocities[index] is not None:
            super().update_step(gradient, variable, learning_rate)
            return
        momentum = self._momentums[index].value
        momentum.assign(self.momentum * momentum + gradient)
        update = gradient + self.momentum * momentum
        matrix = tf.reshape(update, (-1, variable.shape[-1]))
        scale = 0.2 * max(matrix.shape) ** 0.5
        variable.assign_sub(learning_rate * scale * tf.reshape(orthogonal(matrix, self.products), variable.shape))


def orthogonal(matrix: tf.Tensor, products: str = "bfloat16") -> tf.Tensor:
    """u v' of the singular value decomposition u s v', nearly: five Newton-Schulz steps.

    The steps are taken on the small matrix x' x, and x is made anew after two and at the end: half the time of five
    products with x itself.

    Args:
        matrix: float32 (m, n).
        products: dtype in which is multiplied.

    Returns:
        float32 (m, n) whose singular values lie between about .5 and 1.3.

    Example:
        >>> import tensorflow as tf
        >>> nearly_one = orthogonal(tf.eye(4) * 7)
        >>> bool(0.5 < nearly_one[0, 0] < 1.3)
        True
    """
    x = tf.cast(matrix / (tf.norm(matrix) + 1e-7), products)
    one = tf.eye(matrix.shape[1])
    for steps in (2, 3):
        square, factor = _product(x, x, products, transpose_a=True), one
        for _ in range(steps):
            step = 3.4445 * one - 4.7750 * square + 2.0315 * _product(square, square, products)
            factor = _product(factor, step, products)
            square = _product(_product(step, square, products), step, products)
        x = tf.matmul(x, tf.cast(factor, products))
    return tf.cast(x, tf.float32)


def _product(a: tf.Tensor, b: tf.Tensor, dtype: str, transpose_a: bool = False) -> tf.Tensor:
    """a b, multiplied in a dtype and returned in float32."""
    product = tf.matmul(tf.cast(a, dtype), tf.cast(b, dtype), transpose_a=transpose_a)
    return tf.cast(product, tf.float32)


def update_ema(average: tf.Variable, weight: tf.Variable, decay: tf.Tensor) -> None:
    """average = decay * average + (1 - decay) * weight.

    Example:
        >>> import tensorflow as tf
        >>> average = tf.Variable([1.0])
        >>> update_ema(average, tf.Variable([3.0]), tf.constant(0.75))
        >>> float(average[0])
        1.5
    """
    tf.raw_ops.ResourceApplyGradientDescent(var=average.handle, alpha=1 - decay, delta=average - weight)


def optimizer_of(config: Config, precision: str = "mixed_bfloat16") -> keras.Optimizer:
    """The optimizer of a recipe; biases and BatchNorm do not decay.

    Args:
        config: the recipe.
        precision: of the training, `float32` or `mixed_bfloat16`.

    Example:
        >>> from beauty_evaluate.presets import preset
        >>> type(optimizer_of(preset("six_block"))).__name__
        'Muon'
    """
    plan = config.training
    if plan.optimizer == "adam":
        return keras.optimizers.Adam(plan.learning_rate)
    if plan.optimizer == "muon":
        optimizer: FusedAdamW = Muon(
            plan.learning_rate, plan.weight_decay, plan.momentum, plan.muon_group_head, precision.removeprefix("mixed_")
        )
    else:
        optimizer = FusedAdamW(plan.learning_rate, weight_decay=plan.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def learning_rate(config: Config, step: int, steps: int) -> float:
    """The learning rate at a step: linear warm-up, then cosine decay to 0, or constant.

    Args:
        config: the recipe.
        step: counted from 0 over all epochs.
        steps: in an epoch.

    Example:
        >>> from beauty_evaluate.presets import preset
        >>> [round(learning_rate(preset("six_block"), step, 10), 4) for step in (0, 20, 399)]
        [0.0003, 0.006, 0.0]
    """
    plan = config.training
    warmup, total = plan.warmup_epochs * steps, plan.epochs * steps
    if step < warmup:
        return plan.learning_rate * (step + 1) / warmup
    if plan.schedule == "constant":
        return plan.learning_rate
    return float(plan.learning_rate * 0.5 * (1 + np.cos(np.pi * (step - warmup) / max(1, total - warmup))))

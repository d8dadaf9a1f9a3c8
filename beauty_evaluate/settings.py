"""How settings are checked, changed and kept as JSON: what all configs have in common."""

import dataclasses
import json
import math
import types
import typing
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from beauty_evaluate.errors import ConfigError

C = TypeVar("C")


@dataclass(frozen=True)
class Limits:
    """The numbers that a setting takes, ends included; `str()` says so.

    Attributes:
        least: the smallest.
        most: the largest.
        above: whether the smallest itself is left out.
    """

    least: float = -math.inf
    most: float = math.inf
    above: bool = False

    def __contains__(self, value: float) -> bool:
        return self.least <= value <= self.most and not (self.above and value == self.least)

    def __str__(self) -> str:
        if self.most == math.inf:
            return f"{'above' if self.above else 'of at least'} {self.least:g}"
        return f"{f'above {self.least:g}, up to' if self.above else f'from {self.least:g} to'} {self.most:g}"


def within(default: Any, least: float, most: float = math.inf, above: bool = False) -> Any:
    """A field of a `Checked` dataclass that takes numbers, or a tuple of them, within `Limits`."""
    return field(default=default, metadata={"limits": Limits(least, most, above)})


class Checked:
    """A dataclass whose values must have the types and limits of its fields. Raises ConfigError when one is built
    otherwise.

    Example:
        >>> from beauty_evaluate.config import AugmentConfig
        >>> AugmentConfig(mixup=2)
        Traceback (most recent call last):
        beauty_evaluate.errors.ConfigError: mixup takes a number from 0 to 1, not 2.
    """

    def __post_init__(self) -> None:
        hints = _hints(type(self))
        for item in dataclasses.fields(self):  # type: ignore[arg-type]
            value, limits = getattr(self, item.name), item.metadata.get("limits", Limits())
            if not _fits(value, hints[item.name]):
                wanted = getattr(hints[item.name], "__name__", str(hints[item.name]))
                raise ConfigError(f"{item.name} takes a value of type {wanted}, not {value!r}.")
            if "limits" in item.metadata and not all(
                v in limits for v in (value if isinstance(value, tuple) else [value])
            ):
                raise ConfigError(f"{item.name} takes a number {limits}, not {value!r}.")


def _hints(kind: Any) -> dict[str, Any]:
    """The types of a dataclass's fields, looked up once: they are asked for on every start."""
    if kind not in _found_hints:
        _found_hints[kind] = typing.get_type_hints(kind)
    return _found_hints[kind]


_found_hints: dict[Any, dict[str, Any]] = {}


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value has the type of a hint; whole numbers are floats too, bools are no numbers."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return value in arguments
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, argument) for argument in arguments)
    if origin is tuple:
        kinds = arguments[:1] * len(value) if isinstance(value, tuple) and arguments[-1] is ... else arguments
        return isinstance(value, tuple) and len(value) == len(kinds) and all(map(_fits, value, kinds))
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint) if isinstance(hint, type) else True


def to_json(config: Any) -> dict[str, Any]:
    """A dataclass as plain dicts, lists and numbers.

    Example:
        >>> from beauty_evaluate.config import RatingScale
        >>> to_json(RatingScale(1, 5))
        {'low': 1, 'high': 5}
    """
    return dataclasses.asdict(config)


def from_json(values: dict[str, Any], kind: type[C]) -> C:
    """The dataclass `kind` from `to_json`'s dict.

    Args:
        values: settings by name; lists stand for tuples.
        kind: the dataclass.

    Raises:
        ConfigError: a setting is unknown, missing or takes other values.

    Example:
        >>> from beauty_evaluate.config import RatingScale
        >>> from_json({"low": 1, "high": 5}, RatingScale)
        RatingScale(low=1, high=5)
    """
    if not isinstance(values, dict):
        raise ConfigError(f"Settings are a JSON object, not {values!r}.")
    names = {item.name for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(values) - names):
        raise ConfigError(f"There is no setting {', '.join(unknown)}; there are {', '.join(sorted(names))}.")
    hints = _hints(kind)
    built = {}
    for name, value in values.items():
        if dataclasses.is_dataclass(hints[name]):
            value = from_json(value, typing.cast(type[Any], hints[name]))
        built[name] = tuple(value) if isinstance(value, list) else value
    try:
        return kind(**built)
    except TypeError as error:
        raise ConfigError(f"The settings of {kind.__name__} are not whole: {error}.") from error


def with_settings(config: C, settings: Iterable[str]) -> C:
    """The config with some settings changed: `--set section.key=value`.

    Args:
        config: a frozen dataclass, which may hold others as sections.
        settings: `key=value` or `section.key=value`; a value is JSON, or a bare word.

    Raises:
        ConfigError: there is no such setting, or it takes other values.

    Example:
        >>> from beauty_evaluate.presets import preset
        >>> with_settings(preset("six_block"), ["augment.mixup=0.2", "flip_tta=false"]).augment.mixup
        0.2
    """
    values = to_json(config)
    for setting in settings:
        path, equals, text = setting.partition("=")
        if not equals:
            raise ConfigError(f"--set takes section.key=value, for instance training.batch_size=32, not {setting}.")
        _change(values, path.strip(), _value(text.strip()))
    return from_json(values, type(config))  # checked once all are changed: some fit only together


def _value(text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        python_bools = {"True": True, "False": False}
        return python_bools.get(text, text)
    return tuple(value) if isinstance(value, list) else value


def _change(values: dict[str, Any], path: str, value: Any) -> None:
    """Put a value at a dotted path, which must be there."""
    *sections, key = path.split(".")
    place: Any = values
    for section in [*sections, key]:
        if not isinstance(place, dict):
            raise ConfigError(f"There is no setting {path}: one of its sections has no parts.")
        if section not in place or section == "family":
            raise ConfigError(f"There is no setting {path}; here are {', '.join(place)}.")
        inner, place = place, place[section]
    if isinstance(place, dict):
        raise ConfigError(f"{path} is a section; name one of its settings, for instance {path}.{next(iter(place))}=...")
    inner[key] = value

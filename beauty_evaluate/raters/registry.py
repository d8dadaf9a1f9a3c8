"""All raters by family. A new one is a file and a row here, and passes the contract test as it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from beauty_evaluate import config as configs
from beauty_evaluate.config import Config, RaterConfig
from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.mean_baseline import MeanBaseline, MeanBaselineConfig
from beauty_evaluate.raters.network import NetworkRater, Runtime
from beauty_evaluate.raters.rater import Rater
from beauty_evaluate.settings import from_json

DEFAULT = "six_block"  # learnt from every photo there was
EVALUATED = "six_block_60-40"  # with a test part: what evaluation and tables take unless told otherwise


@dataclass(frozen=True)
class Family:
    """A kind of rater: the type of its config, and what makes one of a card, a runtime and a number of threads."""

    config: type[Any]
    load: Callable[[Card, Runtime, int], Rater]


@dataclass(frozen=True)
class Later:
    """As `Family`, of a module of this folder that is imported when it is asked for: one score needs one family."""

    module: str
    config_name: str
    make: Callable[[Any, Card, Runtime, int], Rater]  # of the module, and as `Family.load`

    @property
    def config(self) -> type[Any]:
        """The type of its config."""
        kind: type[Any] = getattr(self._module(), self.config_name)
        return kind

    def load(self, card: Card, runtime: Runtime, threads: int) -> Rater:
        """Its rater."""
        return self.make(self._module(), card, runtime, threads)

    def _module(self) -> Any:
        return import_module(f"{__package__}.{self.module}")


def _ensemble(module: Any, card: Card, runtime: Runtime, threads: int) -> Rater:
    rater: Rater = module.Ensemble(card, lambda path: of_card(load_card(str(path)), runtime, threads))
    return rater


FAMILIES: dict[str, Family | Later] = {
    "network": Family(Config, NetworkRater),
    "ensemble": Later("ensemble", "EnsembleConfig", _ensemble),
    "mean_baseline": Family(MeanBaselineConfig, lambda card, runtime, threads: MeanBaseline(card)),
    "zero_shot": Later("zero_shot", "ZeroShotConfig", lambda its, card, _, threads: its.ZeroShot(card, threads)),
    "language_model": Later("language_model", "LanguageModelConfig", lambda its, card, *_: its.LanguageModel(card)),
    "geometry": Later("geometry", "GeometryConfig", lambda its, card, *_: its.GeometryRater(card)),
    "sub_scores": Later("sub_scores", "SubScoresConfig", lambda its, card, *_: its.SubScoresRater(card)),
    "fusion": Later("fusion", "FusionConfig", lambda its, card, _, threads: its.FusionRater(card, threads)),
    "transfer": Later("transfer", "TransferConfig", lambda its, card, _, threads: its.TransferRater(card, threads)),
    "features": Later("features", "FeaturesConfig", lambda its, card, _, threads: its.FeaturesRater(card, threads)),
}


def decode(values: dict[str, Any]) -> RaterConfig:
    """The config of its family, from JSON. Raises ConfigError."""
    family = values.get("family")
    if family not in FAMILIES:
        raise ConfigError(f"There is no family of raters {family}; there are {', '.join(FAMILIES)}.")
    config: RaterConfig = from_json(values, FAMILIES[family].config)
    return config


def load_card(name: str | None = None) -> Card:
    """The card of a rater.

    Args:
        name: in `weights/`, or the path of a card or of a folder with one (default: the best weights there are).

    Raises:
        WeightsError: no such card, a damaged one, or a default that was not made from photos of people.

    Example:
        >>> load_card("six_block_60-40").data
        'SCUT-FBP5500'
    """
    if name is not None:
        path = Path(name) if name.endswith(".json") else configs.WEIGHTS / f"{name}.json"
        return cards.read(cards.in_folder(Path(name)) if not path.is_file() and Path(name).is_dir() else path, decode)
    paths = [configs.WEIGHTS / f"{default}.json" for default in (DEFAULT, EVALUATED)]
    there = [path for path in paths if path.is_file()]
    if not there:
        raise WeightsError(f"There are no weights {DEFAULT} in {configs.WEIGHTS}. Restore or train them.")
    card = cards.read(there[0], decode)
    if not card.of_people:
        raise WeightsError(f"The default weights were made from {card.data}. Restore those made from photos.")
    return card


def load(name: str | None = None, runtime: Runtime = "opencv", threads: int = 0) -> Rater:
    """A rater, ready to rate faces.

    Args:
        name: as `load_card`.
        runtime: how a network is run: `opencv` starts soonest, `onnxruntime` is faster for many faces, `keras`.
        threads: of one call with `onnxruntime`; 0: all cores.

    Raises:
        WeightsError: as `load_card`.

    Example:
        >>> rater = load("six_block_60-40")
        >>> rater.name, str(rater.scale)
        ('six_block_60-40', '1..5')
    """
    return of_card(load_card(name), runtime, threads)


def of_card(card: Card, runtime: Runtime = "opencv", threads: int = 0) -> Rater:
    """The rater of a card, likewise."""
    return FAMILIES[card.config.family].load(card, runtime, threads)


def same_recipe(names: Sequence[str], measured: Card) -> list[Card]:
    """The cards of those names or paths; ConfigError if one is of another recipe than `measured`."""
    same = [load_card(name) for name in names]
    for card in same:
        if card.config != measured.config:
            raise ConfigError(f"{card.name} is of another recipe than {measured.name}. Name cards of the same one.")
    return same


def record_explanation_results(names: Sequence[str], measured: Card, **results: Any) -> None:
    """Write results on the explanations of `measured` into the cards of `same_recipe`, each with the name of the
    network that it was measured on."""
    entries = {key: {"network": measured.name, "result": value} for key, value in results.items()}
    for card in same_recipe(names, measured):
        cards.write(card, explanations={**card.explanations, **entries})

"""All raters by family. A new one is a file and a row here, and passes the contract test as it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from beauty_evaluate import config as configs
from beauty_evaluate.config import Config, RaterConfig
from beauty_evaluate.errors import ConfigError, WeightsError
from beauty_evaluate.raters import card as cards
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.ensemble import Ensemble, EnsembleConfig
from beauty_evaluate.raters.features import FeaturesConfig, FeaturesRater
from beauty_evaluate.raters.fusion import FusionConfig, FusionRater
from beauty_evaluate.raters.geometry import GeometryConfig, GeometryRater
from beauty_evaluate.raters.language_model import LanguageModel, LanguageModelConfig
from beauty_evaluate.raters.mean_baseline import MeanBaseline, MeanBaselineConfig
from beauty_evaluate.raters.network import NetworkRater, Runtime
from beauty_evaluate.raters.rater import Rater
from beauty_evaluate.raters.sub_scores import SubScoresConfig, SubScoresRater
from beauty_evaluate.raters.transfer import TransferConfig, TransferRater
from beauty_evaluate.raters.zero_shot import ZeroShot, ZeroShotConfig
from beauty_evaluate.settings import from_json

DEFAULT = "six_block"  # learnt from every photo there was
EVALUATED = "six_block_60-40"  # with a test part: what evaluation and tables take unless told otherwise


@dataclass(frozen=True)
class Family:
    """A kind of rater: the type of its config, and what makes one of a card, a runtime and a number of threads."""

    config: type[Any]
    load: Callable[[Card, Runtime, int], Rater]


def _ensemble(card: Card, runtime: Runtime, threads: int) -> Rater:
    return Ensemble(card, lambda path: of_card(load_card(str(path)), runtime, threads))


FAMILIES: dict[str, Family] = {
    "network": Family(Config, NetworkRater),
    "ensemble": Family(EnsembleConfig, _ensemble),
    "mean_baseline": Family(MeanBaselineConfig, lambda card, runtime, threads: MeanBaseline(card)),
    "zero_shot": Family(ZeroShotConfig, lambda card, runtime, threads: ZeroShot(card, threads)),
    "language_model": Family(LanguageModelConfig, lambda card, runtime, threads: LanguageModel(card)),
    "geometry": Family(GeometryConfig, lambda card, runtime, threads: GeometryRater(card)),
    "sub_scores": Family(SubScoresConfig, lambda card, runtime, threads: SubScoresRater(card)),
    "fusion": Family(FusionConfig, lambda card, runtime, threads: FusionRater(card, threads)),
    "transfer": Family(TransferConfig, lambda card, runtime, threads: TransferRater(card, threads)),
    "features": Family(FeaturesConfig, lambda card, runtime, threads: FeaturesRater(card, threads)),
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

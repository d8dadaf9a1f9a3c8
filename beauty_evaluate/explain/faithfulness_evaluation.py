"""The faithfulness evaluation of a rater's explanations: on many faces, beside controls and randomized weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from beauty_evaluate.datasets.dataset import Sample
from beauty_evaluate.errors import DataError
from beauty_evaluate.explain.faithfulness import Doubles, Example, Verdict, cell_sums, measure, verdicts
from beauty_evaluate.explain.faithfulness_maps import RATED_MAPS, Method, independent_values, map_methods
from beauty_evaluate.explain.job import check_regions
from beauty_evaluate.explain.randomization import ParameterRandomization, layers, parameter_randomization_test
from beauty_evaluate.explain.region_shapley import Progress
from beauty_evaluate.explain.reliability import FAILED
from beauty_evaluate.explain.sample_faces import draw_samples, find_sample_faces
from beauty_evaluate.faces.regions import regions
from beauty_evaluate.metrics import Estimate, estimates
from beauty_evaluate.raters.network import NetworkRater
from beauty_evaluate.raters.rater import Rater, crop_config

MIN_FACES = 10  # below which an interval over them says nothing
RANDOMIZED_FACES = 16  # the first ones, whose maps are compared with those of randomized networks


@dataclass(frozen=True)
class FaithfulnessEvaluation:
    """What was measured of a rater's explanations.

    Attributes:
        photos: names of the photos.
        skipped: how many more gave no face.
        verdicts: of maps and controls.
        randomization: of each map; empty for a rater without weights to randomize.
    """

    photos: tuple[str, ...]
    skipped: int
    verdicts: list[Verdict]
    randomization: dict[str, ParameterRandomization]

    @property
    def maps(self) -> dict[str, str]:
        """What a report says of each map."""
        maps = [verdict for verdict in self.verdicts if len(verdict.margin_over_controls) == self._controls]
        return {verdict.name: conclusion(verdict, self.randomization.get(verdict.name)) for verdict in maps}

    @property
    def _controls(self) -> int:
        return max(len(verdict.margin_over_controls) for verdict in self.verdicts)


def conclusion(verdict: Verdict, randomization: ParameterRandomization | None) -> str:
    """What a report says of a map: its verdict beside the controls, and whether it fades with random weights."""
    if not verdict.passed or randomization is None:
        return verdict.sentence
    fades = "fades when the weights are made random"
    return f"{verdict.sentence}, and {fades}" if randomization.passed else f"{FAILED}: it hardly {fades}"


def evaluate_samples(
    rater: Rater, samples: Sequence[Sample], n: int, progress: Progress | None = None
) -> FaithfulnessEvaluation:
    """Evaluate the explanations of a rater on photos that it has not learnt from.

    Args:
        rater: any that sees aligned crops.
        samples: to draw from.
        n: how many to draw.
        progress: called with the faces done, and how many there are.

    Raises:
        ConfigError: a rater of whole pictures.
        DataError: fewer than MIN_FACES faces.
    """
    check_regions(rater)
    drawn = find_sample_faces(rater, draw_samples(samples, n))
    if len(drawn.faces) < MIN_FACES:
        raise DataError(f"Expected {MIN_FACES} photos with a face or more. Received: {len(drawn.faces)}.")
    config = crop_config(rater)
    examples = [Example.of(face, config, regions(face.crop(config), config)) for face in drawn.faces]
    results, randomization = evaluate_faithfulness(rater, examples, progress)
    return FaithfulnessEvaluation(
        tuple(sample.name for sample in drawn.samples), len(drawn.problems), results, randomization
    )


def evaluate_faithfulness(
    rater: Rater, examples: Sequence[Example], progress: Progress | None = None
) -> tuple[list[Verdict], dict[str, ParameterRandomization]]:
    """Verdicts on maps and controls and, of a network, how its maps change when its weights are randomized.

    The latter on the first RANDOMIZED_FACES, for RATED_MAPS only with all weights random. Some 3300 passes of the
    network a face.

    Args:
        rater: any.
        examples: the faces.
        progress: called with the faces done, and how many there are.
    """
    methods = map_methods(rater)
    explainers = {name: make(rater) for name, make in methods.items()}
    measured, maps = [], []
    for i, example in enumerate(examples):
        maps.append({name: cell_sums(explainer(example)) for name, explainer in explainers.items()})
        measured.append(measure(rater, example, maps[-1], i))
        if progress:
            progress(i + 1, len(examples))
    if not isinstance(rater, NetworkRater):
        return verdicts(measured), {}
    originals = {name: [sums[name] for sums in maps[:RANDOMIZED_FACES]] for name in methods}
    return verdicts(measured), _randomization(rater, methods, examples[:RANDOMIZED_FACES], originals)


def _randomization(
    network: NetworkRater,
    methods: Mapping[str, Method],
    examples: Sequence[Example],
    originals: Mapping[str, Sequence[Doubles]],
) -> dict[str, ParameterRandomization]:
    by_layer: dict[str, dict[str, Estimate]] = {name: {} for name in methods}
    magnitudes: dict[str, float] = {}
    names = layers(network.keras_model())
    for last in names:
        tested = {name: make for name, make in methods.items() if last == names[-1] or name not in RATED_MAPS}
        for name, values in parameter_randomization_test(network, tested, examples, originals, last).items():
            (by_layer[name][last],) = estimates(values[:, None])
            magnitudes[name] = float(np.abs(values).mean())
    # the mean size of the correlation of n values in random order, which is close to normal with a variance of 1/(n-1)
    chance = {name: float(np.sqrt(2 / np.pi / (independent_values(name, network) - 1))) for name in methods}
    return {name: ParameterRandomization(by_layer[name], magnitudes[name], chance[name]) for name in methods}

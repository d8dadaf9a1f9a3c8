"""Several data sets learnt from as one."""

from pathlib import Path

import numpy as np
import pytest

from beauty_evaluate.config import RatingScale
from beauty_evaluate.datasets import registry
from beauty_evaluate.datasets.mixture import mix
from beauty_evaluate.errors import DataError


def test_further_scales_are_mapped_by_the_training_photos(
    small_scut: Path, small_mebeauty: Path, small_table: Path
) -> None:
    sets = [registry.read(folder) for folder in (small_scut, small_mebeauty, small_table)]
    both = mix(sets, ["60-40", None, "all"])
    assert (both.title, both.scale) == ("SCUT-FBP5500 + MEBeauty + my faces", RatingScale(1, 5))
    target = np.array([sets[0].samples[name].score for name in sets[0].split().train])
    samples = {sample.name: sample for sample in both.train}
    assert len(samples) == 4 + 4 + 6
    for title in ("MEBeauty/", "my faces/"):
        mapped = np.array([sample.score for name, sample in samples.items() if name.startswith(title)])
        assert (mapped.mean(), mapped.std()) == pytest.approx((target.mean(), target.std()))
    assert samples["SCUT-FBP5500/AF9001.jpg"].group == "SCUT-FBP5500: AF"
    face = samples["MEBeauty/female/asian/face 0.jpg"]
    assert (face.group, face.landmarks) == ("MEBeauty: female, asian", None)
    part = both.parts[1]
    assert both.test[-1].score == pytest.approx(part.map.apply(sets[1].samples["male/black/face 5.jpg"].score))


def test_one_set_stays_as_it_is(small_scut: Path) -> None:
    data = registry.read(small_scut)
    alone = mix([data])
    assert [sample.name for sample in alone.train] == list(data.split().train)
    assert alone.train[0] == data.samples[alone.train[0].name] or alone.train[0].group == "AF"
    assert alone.train[0].score == data.samples[alone.train[0].name].score
    assert alone.landmark_scheme == data.landmark_scheme


def test_holding_back_leaves_the_maps_without_those_photos() -> None:
    first, second = registry.synthetic(60), registry.read()
    both = mix([first, second])
    assert both.parts[1].split.name == "seeded-80-20"
    held = both.holdout()
    assert set(held.parts[0].split.test) < set(both.parts[0].split.train)
    assert held.parts[1].map != both.parts[1].map
    names = {sample.name for sample in held.train} & {sample.name for sample in held.test}
    assert not names


def test_what_cannot_be_mixed_is_one_sentence() -> None:
    data = registry.read()
    with pytest.raises(DataError, match="The split test of London has no photo to learn from"):
        mix([data], ["test"])
    with pytest.raises(DataError, match="2 data sets with 1 splits"):
        mix([data, data], ["all"])

"""The bench: rows, run twice, kept whole, refused or named with the reason; its tables and its page."""

import csv
import json
import re
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from drawn_raters import Drawn, DrawnConfig, add_family, drawn_card

from beauty_evaluate.cli import bench as command
from beauty_evaluate.config import CropConfig, RatingScale
from beauty_evaluate.datasets import registry as datasets
from beauty_evaluate.datasets import scut, synthetic
from beauty_evaluate.datasets.dataset import DataSet, Sample
from beauty_evaluate.datasets.ratings import RatingSheet
from beauty_evaluate.datasets.splits import evaluation_split
from beauty_evaluate.errors import ConfigError, DataError
from beauty_evaluate.evaluation import bench_row
from beauty_evaluate.evaluation.bench import CONSTANT, BenchJob, bench
from beauty_evaluate.evaluation.bench_records import Bench, Human, read_bench, write_bench
from beauty_evaluate.evaluation.bench_row import Place
from beauty_evaluate.evaluation.crop_against_whole import crop_against_whole
from beauty_evaluate.evaluation.evaluate import evaluate
from beauty_evaluate.evaluation.human_rater import one_human_rater
from beauty_evaluate.faces.align import whole_crop
from beauty_evaluate.faces.detect import Face
from beauty_evaluate.images import Picture
from beauty_evaluate.metrics import Estimate, bootstrap_pearson
from beauty_evaluate.raters import registry
from beauty_evaluate.raters.card import Card
from beauty_evaluate.raters.mean_baseline import MeanBaselineConfig
from beauty_evaluate.raters.registry import Family
from beauty_evaluate.reporting.bench_report import write_bench_report
from beauty_evaluate.reporting.bench_tables import bench_markdown
from beauty_evaluate.reporting.results import BENCH, written_blocks


@pytest.fixture(autouse=True)
def family(monkeypatch: pytest.MonkeyPatch) -> None:
    add_family(monkeypatch)


@pytest.fixture(scope="module")
def data() -> DataSet:
    """20 faces to learn from, 5 to test on."""
    return synthetic.draw(25)


@pytest.fixture
def eyes(tmp_path: Path, data: DataSet) -> str:
    return str(drawn_card(tmp_path / "cards", "eyes", data).path)


@pytest.fixture
def jaw(tmp_path: Path) -> str:
    return str(drawn_card(tmp_path / "cards", "jaw").path)


def looks(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "looks.jsonl").read_text().splitlines()]


def test_a_row_holds_the_figures_of_the_evaluation_and_what_it_costs(
    data: DataSet, eyes: str, jaw: str, tmp_path: Path
) -> None:
    (part,) = bench(BenchJob((eyes, jaw), (data,), tmp_path / "b")).parts
    constant, first, second = part.rows
    assert [row.rater for row in part.rows] == [CONSTANT, "eyes", "jaw"]
    evaluation = evaluate(registry.load(eyes), data, data.split().test)
    assert first.metrics == evaluation.metrics()
    assert first.interval == bootstrap_pearson(evaluation.predicted, evaluation.true)
    assert (first.on_scale, second.on_scale, second.metrics["all"]["mae"]) == (True, False, None)
    assert (first.minutes, first.command, first.ms_photo > first.ms_rating > 0) == (1, "draw eyes", True)
    mean = np.mean([data.samples[name].score for name in data.split().train])
    assert constant.metrics["all"]["mae"] == pytest.approx(np.abs(evaluation.true - mean).mean())
    assert [(look["rater"], look["photos"]) for look in looks(tmp_path / "b")] == [
        (CONSTANT, 5),
        ("eyes", 5),
        ("jaw", 5),
    ]
    with open(Place.of(tmp_path / "b", "eyes", data, "synthetic").predictions) as file:
        row = next(csv.DictReader(file))
    assert float(row["out_of_10"]) == pytest.approx(1 + 9 / 4 * (float(row["score"]) - 1), abs=1e-3)


def test_a_row_that_is_done_stays_and_one_of_another_rater_or_label_does_not(
    data: DataSet, eyes: str, tmp_path: Path
) -> None:
    job = BenchJob((eyes,), (data,), tmp_path / "b")
    first = bench(job)
    rated = Drawn.rated
    assert rated == 3 * 5  # twice, and the whole photos
    assert bench(job) == first
    assert (Drawn.rated, len(looks(tmp_path / "b"))) == (rated, 2)
    name = data.split().test[0]
    other = replace(data, samples={**data.samples, name: replace(data.samples[name], score=1.0)})
    assert bench(replace(job, data=(other,))).parts[0].rows[1].metrics != first.parts[0].rows[1].metrics
    drawn_card(Path(eyes).parent, "eyes", data, size=32)
    bench(job)
    assert Drawn.rated == 3 * rated
    Place.of(tmp_path / "b", "eyes", data, "synthetic").predictions.write_text("file,sco")
    bench(job)
    assert Drawn.rated == 4 * rated


def test_a_bench_that_is_killed_leaves_no_half_row(
    data: DataSet, eyes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, place = BenchJob((eyes,), (data,), tmp_path / "b"), Place.of(tmp_path / "b", "eyes", data, "synthetic")
    with monkeypatch.context() as patch:

        def killed(path: Path, content: bytes) -> None:
            path.with_name(path.name + ".part").write_bytes(content[:9])
            raise KeyboardInterrupt

        patch.setattr(bench_row, "write_atomic", lambda path, content: (
            killed(path, content) if "eyes" in path.name and path.suffix == ".json" else path.write_bytes(content)
        ))  # fmt: skip
        with pytest.raises(KeyboardInterrupt):
            bench(job)
    assert not place.row.exists()
    assert place.predictions.exists()  # whole, but it is the row that counts
    assert [row.rater for row in bench(job).parts[0].rows] == [CONSTANT, "eyes"]


@dataclass(frozen=True)
class Telling(Sample):
    """A photo whose first row tells its label."""

    def read(self) -> Picture:
        picture = super().read().copy()
        picture[90:110] = 255 if self.score > 3 else 0
        return picture


def test_predictions_that_move_with_the_labels_fail_the_run(
    data: DataSet,
    eyes: str,
    jaw: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    leaking = replace(data, samples={name: Telling(**vars(sample)) for name, sample in data.samples.items()})
    result = bench(BenchJob((eyes, jaw), (leaking,), tmp_path / "b"))
    assert result.moved == ("eyes",)
    assert [row.rater for row in result.parts[0].rows] == [CONSTANT, "jaw"]  # which does not look where it is told
    assert "moved by up to" in result.parts[0].not_run[0].reason
    assert not Place.of(tmp_path / "b", "eyes", data, "synthetic").row.exists()
    monkeypatch.setattr(datasets, "read", lambda *_: leaking)
    words = ["--raters", eyes, "--data", str(tmp_path), "--out", str(tmp_path / "c")]
    assert command.main(words) == 1
    assert "The bench failed: predictions of eyes moved" in capsys.readouterr().out


def test_raters_without_a_row_are_named_with_the_reason(
    data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    knows = str(drawn_card(tmp_path, "eyes", replace(data, splits={}), "all").path)
    lacks = str(drawn_card(tmp_path, "jaw").path)
    modules = iter(["some_package", "beauty_evaluate.typing_error"])

    def load(*_: object) -> Drawn:
        raise ModuleNotFoundError(name=next(modules))

    with monkeypatch.context() as patch:
        patch.setitem(
            registry.FAMILIES,
            "drawn",
            Family(DrawnConfig, lambda card, *_: Drawn(card) if card.name == "eyes" else load()),
        )
        (part,) = bench(BenchJob((knows, lacks, "no_such"), (data,), tmp_path / "b")).parts
        reasons = {one.rater: one.reason for one in part.not_run}
        assert "eyes has learnt from 5 of these photos" in reasons["eyes"]
        assert "some_package is missing" in reasons["jaw"]
        assert "No such card" in reasons["no_such"]
        assert [row.rater for row in part.rows] == [CONSTANT]
        with pytest.raises(ModuleNotFoundError):  # a bug of ours
            bench(BenchJob((lacks,), (data,), tmp_path / "b"))
    text = bench_markdown(Bench((part,)))
    assert "Not run: `no_such`. No such card" in text


def test_mistakes_are_told(data: DataSet, eyes: str, tmp_path: Path) -> None:
    other = str(drawn_card(tmp_path / "others", "eyes").path)
    with pytest.raises(ConfigError, match="Two raters are called eyes"):
        bench(BenchJob((eyes, other), (data,), tmp_path / "b"))
    with pytest.raises(ConfigError, match="--pair names jaw"):
        bench(BenchJob((eyes,), (data,), tmp_path / "b", pairs=(("eyes", "jaw"),)))
    with pytest.raises(ConfigError, match="1 data sets with 2 splits"):
        bench(BenchJob((eyes,), (data,), tmp_path / "b", (None, None)))
    (tmp_path / "no.json").write_text('{"parts": [{}]}')
    with pytest.raises(DataError, match="is not the record of a bench"):
        read_bench(tmp_path / "no.json")


def test_crops_are_set_against_whole_photos(data: DataSet, eyes: str) -> None:
    rater, config = registry.load(eyes), DrawnConfig().crop
    names = tuple(data.samples)[:4]
    aligned = evaluate(rater, data, names)
    squeezed = [whole_crop(data.samples[name].read(), config) for name in names]
    faces = [Face((0, 0, 64, 64), np.empty((0, 2)), 1.0, None, {config: pixels}) for pixels in squeezed]
    difference = aligned.predicted - (rater.rate(faces).mean + 25) / 25  # by the map of the card
    whole = crop_against_whole(rater, aligned)
    assert (whole.n, whole.no_face) == (4, 0)
    assert whole.mean == pytest.approx(difference.mean())
    assert whole.largest == pytest.approx(max(difference, key=abs))
    assert (whole.up, whole.down) == ((difference > 0).mean(), (difference < 0).mean())

    other_way = registry.of_card(replace(rater.card, config=DrawnConfig(crop=CropConfig("whole", 64))))
    assert crop_against_whole(other_way, evaluate(other_way, data, names)) == whole

    flat = Sample("flat.png", 3.0, picture=np.zeros((64, 64, 3), np.uint8))
    more = evaluate(rater, replace(data, samples={**data.samples, "flat.png": flat}), [*names, "flat.png"])
    assert crop_against_whole(rater, more) == replace(whole, no_face=1)
    nothing = registry.of_card(Card("same", MeanBaselineConfig(), data.scale))
    assert crop_against_whole(nothing, aligned).reason == "it looks at nothing"


def test_two_raters_are_set_against_each_other_photo_by_photo(eyes: str, jaw: str, tmp_path: Path) -> None:
    data = synthetic.draw(150)
    (part,) = bench(BenchJob((eyes, jaw), (data,), tmp_path / "b", pairs=(("eyes", "jaw"), ("jaw", "jaw")))).parts
    better, same = part.pairs
    pc = {row.rater: row.pearson or 0 for row in part.rows}
    assert better.difference.value == pytest.approx(pc["eyes"] - pc["jaw"], abs=1e-4)
    assert (better.difference.low < better.difference.value < better.difference.high, better.best_member) == (
        True,
        False,
    )
    assert (same.difference.value, same.verdict) == (0, "no difference can be told")
    assert replace(better, difference=Estimate(0.2, 0.1, 0.3)).verdict == "eyes is better"
    assert replace(better, difference=Estimate(-0.2, -0.3, -0.1)).verdict == "jaw is better"
    text = bench_markdown(Bench((part,)))
    assert re.search(r"\| `eyes` \| `jaw` \| 0\.\d+ \| 0\.\d+ \| [+-]0", text)


def test_published_figures_stand_in_rows_of_their_own(small_scut: Path, tmp_path: Path) -> None:
    data = scut.read(small_scut)
    result = bench(BenchJob((), (data,), tmp_path / "b", ("60-40",), command="the bench"))
    markdown, page = write_bench_report(result, (data,), tmp_path / "b")
    text, html = markdown.read_text(), page.read_text()
    assert "Made by `the bench`." in text
    row = (
        "| ResNet-18, published | ImageNet | [Liang et al., ICPR 2018](https://arxiv.org/abs/1801.06345) | 0.8513 | - |"
    )
    assert row in text
    assert '<a href="https://arxiv.org/abs/1801.06345">Liang et al., ICPR 2018</a>' in html
    assert html.count("<script") == 1
    assert not re.findall(r"""(?:src|href)=["'](?!data:image/png|https://(?:arxiv|doi|github))""", html)
    assert (tmp_path / "b" / "scatter_SCUT-FBP5500_60-40.png").stat().st_size > 1000
    (fold,) = bench(BenchJob((), (data,), tmp_path / "b", ("fold1",))).parts
    assert "published" not in bench_markdown(Bench((fold,)))


def test_one_human_rater_is_a_row_of_the_test_photos() -> None:
    data = datasets.read()
    names = sorted(data.samples)[:30]
    human = one_human_rater(data, names)
    assert human is not None
    assert data.ratings is not None
    sheet = data.ratings.of_faces([*names, "no such face"])
    assert sheet.faces == tuple(names)
    assert human.pearson == sheet.one_rater_pc() != data.human_pc
    assert human.mae == sheet.one_rater_errors()[0]
    known = replace(data, load_ratings=None)
    assert one_human_rater(known, names) == Human(data.human_pc or 0, source=data.human_source)
    assert one_human_rater(replace(known, human_pc=None), names) is None


def test_the_errors_of_one_rater_are_against_the_mean_of_the_others() -> None:
    values = np.array([[1.0, 2, 3], [3, 2, np.nan], [5, 2, 3]])
    sheet = RatingSheet(("a", "b", "c"), ("x", "y", "z"), values, RatingScale(1, 5))
    a, b, c = (3 + 0 + 0, 0 + 0, 3 + 0 + 0)
    assert sheet.one_rater_errors()[0] == pytest.approx((a / 3 + b / 2 + c / 3) / 3)
    assert sheet.one_rater_errors()[1] == pytest.approx((3**0.5 + 0 + 3**0.5) / 3)
    assert np.isnan(sheet.only(np.array([0])).one_rater_errors()[0])


def test_the_records_of_a_bench_come_back(data: DataSet, eyes: str, tmp_path: Path) -> None:
    london = datasets.read()
    few = replace(london, splits={"test": partial(evaluation_split, sorted(london.samples)[:4])})
    result = bench(BenchJob((eyes, "no_such"), (data, few), tmp_path / "b", pairs=(("eyes", "eyes"),)))
    assert (result.parts[0].human, result.parts[1].n) == (None, 4)
    assert read_bench(tmp_path / "b" / "bench.json") == result
    write_bench(tmp_path / "again.json", result)
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "b" / "bench.json").read_bytes()


def test_the_command_prints_tables_and_refuses_mistakes(
    data: DataSet, eyes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(datasets, "read", lambda *_: data)
    words = ["--raters", eyes, "--out", str(tmp_path / "b")]
    assert (
        command.main([*words, "--data", str(tmp_path), "--split", "synthetic", "--pair", "eyes", "mean_baseline"]) == 0
    )
    printed = capsys.readouterr().out
    assert "eyes on synthetic faces: PC" in printed
    assert "## synthetic faces, split synthetic: 5 photos rated 1..5" in printed
    made = "bench --raters eyes --data synthetic faces --split synthetic --pair eyes mean_baseline"
    assert made in read_bench(tmp_path / "b" / "bench.json").command
    assert (tmp_path / "b" / "report.html").is_file()
    assert command.main([*words, "--split", "a", "--split", "b"]) == 2
    assert "--split was given 2 times for 1 data sets" in capsys.readouterr().err


def test_the_results_page_is_written_from_the_records() -> None:
    assert written_blocks(ROOT)["bench"] == bench_markdown(read_bench(ROOT / "benchmarks" / BENCH), level=3)

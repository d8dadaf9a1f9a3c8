"""Show what moved the score of a face, the filters of a network and what they are active on."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from beauty_evaluate.cli.common import Counter, add_into, add_weights, import_tensorflow, start
from beauty_evaluate.errors import PhotoError, UserError

if TYPE_CHECKING:  # imported when a command runs
    from beauty_evaluate.faces.detect import Face
    from beauty_evaluate.raters.rater import Rater


def main(argv: Sequence[str] | None = None) -> int:
    return start(_flags, _run, __doc__ or "", argv)


def _flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", nargs="?", help="a photo with a face")
    parser.add_argument(
        "--data", type=Path, metavar="DIR",
        help="a data set: without PATH, tables over its test part; with PATH, its faces stand in for regions",
    )  # fmt: skip
    parser.add_argument("--n", type=int, default=200, help="with --data: photos, some 20 s each (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("inside"), metavar="DIR", help="default: %(default)s")
    parser.add_argument("--face", type=int, metavar="N", help="which face, from the left (default: the largest)")
    parser.add_argument("--quick", action="store_true", help="only which regions moved the score")
    parser.add_argument(
        "--layer", metavar="NAME",
        help="only the maps of this layer, large: block1_conv1 ... block6_conv2; with --data: whose filters are shown",
    )  # fmt: skip
    add_into(parser)
    add_weights(parser)


def _run(options: argparse.Namespace) -> int:
    _check(options)
    return _photo(options) if options.path else _data_set(options)


def _check(options: argparse.Namespace) -> None:
    if options.layer and options.quick:
        raise UserError("--layer and --quick cannot be combined. Leave one out.")
    if not (options.path or options.data):
        raise UserError("There is nothing to show. Give a photo, or --data DIR.")
    if options.n < 3:
        raise UserError(f"--n takes a number of at least 3, not {options.n}.")
    if options.path and options.into:
        raise UserError("--into cannot be combined with a photo: it goes with --data alone.")
    if not options.path and (options.face or options.quick):
        raise UserError("--face and --quick go with a photo. Give one, or leave them out.")


def _photo(options: argparse.Namespace) -> int:
    from beauty_evaluate import images
    from beauty_evaluate.faces.detect import find_faces
    from beauty_evaluate.raters import registry
    from beauty_evaluate.raters.rater import crop_config

    rater = registry.load(options.weights, "onnxruntime")
    face = _choose(find_faces(images.read(options.path), crop_config(rater)), options.face)
    if not options.quick:
        import_tensorflow()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.layer:
        from beauty_evaluate.reporting.internals import write_layer

        print(f"{options.layer}: {write_layer(rater, face, options.layer, options.out)}")
        return 0
    from beauty_evaluate.explain import explain
    from beauty_evaluate.reporting.face_report import write_face_report

    donors = _donors(options.data, rater, options.path) if options.data else ()
    explanation = explain(rater, face, donors, Counter("explaining"))
    report = write_face_report(rater, explanation, Path(options.path).name, options.out, options.quick)
    print(*report.lines, sep="\n")
    share = "" if explanation.reliability.passed is False else f"; to share: {options.out / 'summary.png'}"
    print(f"report: {report.path}{share}")
    return 0


def _choose(faces: "list[Face]", number: int | None) -> "Face":
    """A face counted from the left from 1, or the largest."""
    from beauty_evaluate.faces.detect import main_face

    if number is None:
        return main_face(faces)
    if not 1 <= number <= len(faces):
        raise PhotoError("no_face", f"There is no face {number}: the photo shows {len(faces)}, counted from the left.")
    return faces[number - 1]


def _donors(folder: Path, rater: "Rater", path: str) -> "Sequence[Face]":
    """A few faces of the data set but for the photo at `path`, drawn at random."""
    from beauty_evaluate.datasets import registry
    from beauty_evaluate.explain.data_set import DONORS
    from beauty_evaluate.explain.sample_faces import draw_samples, find_sample_faces

    photo = Path(path).resolve()
    samples = [s for s in registry.read(folder).samples.values() if s.path is None or s.path.resolve() != photo]
    return find_sample_faces(rater, draw_samples(samples, DONORS)).faces


def _data_set(options: argparse.Namespace) -> int:
    import_tensorflow()
    from beauty_evaluate.datasets import registry as datasets
    from beauty_evaluate.evaluation.evaluate import assert_no_leakage
    from beauty_evaluate.explain.data_set import explain_data_set
    from beauty_evaluate.raters import registry
    from beauty_evaluate.reporting.region_report import write_region_report

    rater = registry.load(options.weights or registry.EVALUATED, "onnxruntime", threads=1)
    registry.same_recipe(options.into, rater.card)  # now, not after an hour
    data = datasets.read(options.data)
    names = data.split().test or tuple(data.samples)
    assert_no_leakage(rater.card, data, names)
    options.out.mkdir(parents=True, exist_ok=True)
    explanation = explain_data_set(rater, data, names, options.n, options.layer, Counter("explaining"))
    for problem in explanation.problems:
        print(f"problem: {problem}")
    print(write_region_report(rater, explanation, options.out))
    registry.record_explanation_results(options.into, rater.card, baselines=asdict(explanation.agreement))
    return 0

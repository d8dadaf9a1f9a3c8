"""The house as ARCHITECTURE.md describes it: floors, sizes, names, and what a light start loads."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, Run

from beauty_evaluate.raters.registry import FAMILIES, Later

PACKAGE = ROOT / "beauty_evaluate"
FLOORS: dict[str, int] = {
    **dict.fromkeys(("errors", "files", "phrases", "boxes", "encoded", "exif", "formats", "jpeg", "jxl"), 0),
    **dict.fromkeys(("kinds", "libtiff", "limits", "png"), 0),
    **dict.fromkeys(("config", "presets", "settings", "images", "metrics", "drawing"), 1),
    **dict.fromkeys(("arrays", "decoders", "profiles"), 1),
    **dict.fromkeys(("faces", "datasets", "raters.card"), 2),
    **dict.fromkeys(("datasets.crops", "datasets.pipeline", "datasets.augment", "datasets.faces_of", "raters"), 3),
    **dict.fromkeys(("evaluation", "explain", "training"), 4),
    "reporting": 5,
    "scoring": 6,
    "web": 7,
    "cli": 8,
    "__main__": 9,
}
MAX_FILE_LINES = 250
MAX_FUNCTION_LINES = 40
HEAVY = ("tensorflow", "keras", "matplotlib", "pandas", "scipy", "ray")
COMMANDS = (
    "score",
    "train",
    "visualize",
    "evaluate",
    "bench",
    "batch",
    "export",
    "prune",
    "faithfulness",
    "report-data",
    "serve",
)


def modules() -> Iterator[tuple[str, Path, ast.Module]]:
    """Dotted name within the package, path and syntax tree of each module."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield name, path, ast.parse(path.read_text(encoding="utf-8"))


MODULES = list(modules())
TREES = {name: tree for name, _, tree in MODULES}


def floor(module: str) -> int:
    """The floor of a module: of its longest prefix that has one."""
    parts = module.split(".")
    for end in range(len(parts), 0, -1):
        if ".".join(parts[:end]) in FLOORS:
            return FLOORS[".".join(parts[:end])]
    raise AssertionError(f"{module} has no floor: give it one here and in ARCHITECTURE.md")


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and module, within the package, of each import; those for the type checker alone too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "beauty_evaluate":
            inside = ".".join((node.module or "").split(".")[1:])
            for name in node.names:
                whole = f"{inside}.{name.name}".strip(".")
                yield node.lineno, whole if whole in TREES else inside
        elif isinstance(node, ast.Import):
            for name in node.names:
                if name.name.startswith("beauty_evaluate."):
                    yield node.lineno, name.name.removeprefix("beauty_evaluate.")


def test_imports_point_downward() -> None:
    wrong = [
        f"{name}:{line} imports {target}"
        for name, _, tree in MODULES
        if name
        for line, target in imports(tree)
        if target and floor(target) > floor(name)
    ]
    assert wrong == []


def test_rooms_of_the_same_floor_do_not_go_round_in_circles() -> None:
    """Evaluation and explanations know nothing of each other; training may use both."""
    allowed = {("training", "evaluation"), ("training", "explain")}
    rooms = {"evaluation", "explain", "training"}
    crossings = {
        (name.split(".")[0], target.split(".")[0])
        for name, _, tree in MODULES
        for _, target in imports(tree)
        if name.split(".")[0] in rooms and target.split(".")[0] in rooms
    }
    assert {(a, b) for a, b in crossings if a != b} <= allowed


def test_files_and_functions_are_short() -> None:
    long = []
    for name, path, tree in MODULES:
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MAX_FILE_LINES:
            long.append(f"{name}: {lines} lines")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                docstring = ast.get_docstring(node, clean=False)
                size = node.end_lineno - node.lineno + 1 if node.end_lineno else 0
                size -= len(docstring.splitlines()) if docstring else 0  # an example does not make a function long
                if size > MAX_FUNCTION_LINES:
                    long.append(f"{name}.{node.name}: {size} lines")
    assert long == []


# Where a name of release 0.1 stood, and the name: the field has another word for it.
OLD_NAMES = [
    *(("raters.runtime", name) for name in ("rate", "Forward", "onnx_forward", "many_forward", "keras_forward")),
    *(("config", name) for name in ("mirror_average", "weight_average", "views", "batch", "drawn")),
    *(("training.optimizer", name) for name in ("follow", "keep")),
    *(("training.job", name) for name in ("learnt", "held", "look_at_test")),
    *(("training.crossval", name) for name in ("lanes",)),
    *(("datasets.splits", name) for name in ("hold_back", "chosen_on", "drawn")),
    *(("evaluation.evaluate", name) for name in ("refuse_known", "constant", "figures")),
    *(("evaluation.crossval", name) for name in ("chosen_on", "figures")),
    *(("evaluation.external", name) for name in ("wild", "wild_table")),
    *(("evaluation.interval", name) for name in ("half", "low", "high")),
    *(("explain.ground_truth", name) for name in ("Truth", "drawn_truth", "EACH", "WANTED", "CLEAR")),
    *(("explain.faithfulness", name) for name in ("Case", "beyond", "gap", "UNREAD", "fading", "weakened", "stages")),
    *(("explain.faithfulness_evaluation", name) for name in ("prove", "proof", "proved", "LEAST")),
    *(("explain.gradients", name) for name in ("gap",)),
    *(("explain.filter_effects", name) for name in ("Answers", "answers", "needs", "silent", "exciting_images")),
    *(("explain.reliability", name) for name in ("Trust", "trust", "ways", "agreement", "ALIKE", "UNREAD", "UNPROVED")),
    *(("explain.region_shapley", name) for name in ("ring_mean", "other_face", "replaced")),
    *(("explain.baselines", name) for name in ("ring_mean", "other_face", "replaced")),
    *(("scoring.compare", name) for name in ("told_apart", "told_by_name", "mine", "half")),
    *(("scoring.scorer", name) for name in ("one_photo", "half")),
    *(("scoring.batch", name) for name in ("AHEAD",)),
    *(("scoring.tables", name) for name in ("SAME",)),
    *(("raters.card", name) for name in ("explain", "half", "low", "high")),
    *(("faces.align", name) for name in ("similarity",)),
    *(("faces.quality", name) for name in ("SHARP", "SMALL", "DARK", "BRIGHT", "GREY", "TURNED", "UNSURE")),
    *(("faces.regions", name) for name in ("_LIKE",)),
    *(("images", name) for name in ("STRIP", "LARGE")),
    *(("training.prune", name) for name in ("VALUE",)),
    *(("web.service", name) for name in ("Desk", "Hands", "take", "give", "late")),
    *(("web.views", name) for name in ("take_room", "give_room", "late")),
]
OLD_MODULES = (
    "data", "models", "web.shown", "web.work", "web.texts", "scoring.sheet", "scoring.stream", "explain.page",
    "explain.inside", "explain.trust", "explain.figures", "explain.proof", "explain.known_rule", "evaluation.wild",
)  # fmt: skip
OLD_LOCALS = ("found", "own", "words", "known", "told")


def names(tree: ast.Module) -> set[str]:
    """All that a module defines, assigns, takes or uses as an attribute of its own."""
    result: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            result.add(node.name)
        elif isinstance(node, ast.arg):
            result.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            result.add(node.id)
    return result


@pytest.mark.parametrize("module", sorted({module for module, _ in OLD_NAMES}))
def test_no_old_name_is_left(module: str) -> None:
    if module in TREES:
        assert names(TREES[module]) & {name for where, name in OLD_NAMES if where == module} == set()


def test_no_old_module_is_left() -> None:
    assert set(OLD_MODULES) & set(TREES) == set()


def test_locals_are_named_by_the_thing() -> None:
    left = {name: sorted(names(tree) & set(OLD_LOCALS)) for name, tree in TREES.items()}
    assert {name: words for name, words in left.items() if words} == {}


def test_only_raters_know_how_a_network_is_stored_and_run() -> None:
    """Files of weights, runtimes and the mirror image are behind the contract; training writes what raters read."""
    inside = ("raters", "training", "config", "presets")
    words = {"artifact", "flip_tta", "opencv_predictor", "onnxruntime_predictor", "keras_predictor"}
    uses = [
        f"{name}:{getattr(node, 'lineno', 0)} {word}"
        for name, tree in TREES.items()
        if name.split(".")[0] not in inside
        for node in ast.walk(tree)
        for word in [getattr(node, "attr", getattr(node, "id", getattr(node, "arg", None)))]
        if word in words
    ]
    assert uses == []


def test_nobody_but_readers_knows_a_data_set() -> None:
    """Titles, groups and layouts stand in `datasets/` alone; help, texts and published figures name the sets too."""
    spoken = ("datasets", "cli", "web.i18n", "evaluation.published", "reporting.results")
    uses = []
    for name, tree in TREES.items():
        if name.startswith(spoken):
            continue
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            text = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and id(node) not in docstrings and ("SCUT" in text or "60 raters" in text):
                uses.append(f"{name}:{getattr(node, 'lineno', 0)} {text[:60]!r}")
    assert uses == []


@pytest.mark.parametrize("what", ["import", "help", "use"])
def test_a_light_start_loads_nothing_heavy(what: str, tmp_path: Path) -> None:
    start = {
        "import": "import beauty_evaluate",
        "use": f"from beauty_evaluate.cli.use import main; main([{str(ROOT / 'examples' / 'eileen_collins.png')!r}])",
        "help": "import contextlib\nfrom beauty_evaluate.cli.common import COMMANDS, main\n"
        "for command in COMMANDS:\n    with contextlib.suppress(SystemExit):\n        main([command, '--help'])",
    }[what]
    rivals = {f"beauty_evaluate.raters.{family.module}" for family in FAMILIES.values() if isinstance(family, Later)}
    code = (
        f"import sys\n{start}\nloaded = {{name.split('.')[0] for name in sys.modules}} | sys.modules.keys()\n"
        f"print('heavy:', sorted({set(HEAVY) | rivals!r} & loaded))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=600
    )
    assert done.stdout.splitlines()[-1] == "heavy: []"


def test_every_door_tells_its_version_and_its_own_name(run: Run) -> None:
    for door in ("use.py", "train.py", "visualize.py"):
        done = run(ROOT / door, "--help")
        assert done.stdout.startswith(f"usage: {door}"), done.stdout[:80]
    assert run(ROOT / "use.py", "--version").stdout.startswith("beauty_evaluate 0.")

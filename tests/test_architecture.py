from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("patching", "constructs", "stacks", "ops", "lab", "review", "cli")
OUTSIDE = {"aws_cdk", "boto3", "botocore", "moto", "werkzeug", "flask", "cdk_nag", "rich", "typer"}


def files(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


@cache
def statements(path: Path) -> list[ast.Import | ast.ImportFrom]:
    """Return the imports of a file, wherever in it; every rule looks at them, and to read a file takes a while."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def imports(path: Path) -> Iterator[str]:
    """Yield every module that a file imports."""
    for node in statements(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:
            assert not node.level, f"{path}: a relative import"
            yield str(node.module)


def modules(path: Path) -> Iterator[str]:
    """Yield every module that a file imports, and what it imports from it, which may be one as well."""
    for node in statements(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
            yield str(node.module)


def circle(paths: Iterable[Path], root: Path = ROOT) -> list[str]:
    """Return files that import each other in a circle, for types only too; none if there is no circle."""
    named = {".".join(path.relative_to(root).with_suffix("").parts): path for path in paths}
    graph = {name: {other for other in modules(path) if other in named} for name, path in named.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def reached(paths: Iterable[Path], among: Iterable[str]) -> set[str]:
    """Return which of these packages the files import, each as `file -> package`."""
    return {
        f"{path.relative_to(ROOT)} -> {name.partition('.')[0]}"
        for path in paths
        for name in imports(path)
        if name.partition(".")[0] in set(among)
    }


def is_workshop(path: Path) -> bool:
    return path.relative_to(ROOT / "lab").parts[0].removesuffix(".py").startswith("workshop")


def is_engine(path: Path) -> bool:
    return not path.relative_to(ROOT / "lab").parts[0].startswith(("aws", "workshop", "local"))


@pytest.mark.parametrize(
    ("room", "rooms", "outside"),
    [
        ("patching", set(), set()),
        ("constructs", {"patching", "constructs"}, {"aws_cdk"}),
        ("stacks", {"patching", "constructs", "stacks"}, {"aws_cdk"}),
        ("ops", {"patching", "ops"}, {"boto3", "botocore", "rich"}),
        ("lab", {"patching", "lab", "ops"}, OUTSIDE - {"aws_cdk", "cdk_nag"}),
        ("review", {"patching", "lab", "review"}, OUTSIDE),
        ("cli", {"patching", "ops", "lab", "review", "cli"}, OUTSIDE),
    ],
)
def test_a_room_leans_only_on_what_lies_below_it(room: str, rooms: set[str], outside: set[str]) -> None:
    own = {room}
    assert reached(files(room), set(ROOMS) - rooms - own) == set()
    assert reached(files(room), OUTSIDE - outside) == set()


@pytest.mark.parametrize("room", ROOMS)
def test_no_files_of_a_room_import_each_other_in_a_circle(room: str) -> None:
    assert circle(files(room)) == []


@pytest.mark.parametrize(("above", "ground"), [("lab", "world"), ("lab/aws", "account")])
def test_no_folders_of_the_lab_import_each_other_in_a_circle(above: str, ground: str) -> None:
    package = above.replace("/", ".")
    leans: dict[str, set[str]] = {found.parent.name: set() for found in (ROOT / above).glob("*/__init__.py")}
    for folder, others in leans.items():
        for path in (ROOT / above / folder).rglob("*.py"):
            within = (name.removeprefix(f"{package}.") for name in imports(path) if name.startswith(f"{package}."))
            others.update({name.partition(".")[0] for name in within} & leans.keys() - {folder})
    assert leans[ground] == set()
    assert sum(map(len, leans.values())) > len(leans)
    TopologicalSorter(leans).prepare()


def test_nothing_leans_on_the_command_line() -> None:
    others = [path for room in ROOMS if room != "cli" for path in files(room)]
    assert reached([*others, ROOT / "app.py"], {"cli"}) == set()


def test_only_the_workshop_operates_as_a_person_would() -> None:
    assert reached([path for path in files("lab") if not is_workshop(path)], {"ops"}) == set()


def test_the_labs_engine_knows_no_moto_and_no_http() -> None:
    engine = [path for path in files("lab") if is_engine(path)]
    assert {"clock.py", "evaluation.py", "run_command.py"} <= {path.name for path in engine}
    assert reached(engine, {"moto", "werkzeug", "flask", "http", "urllib", "boto3", "botocore"}) == set()
    adapters = {str(path.relative_to(ROOT)) for path in engine for name in imports(path) if name.startswith("lab.aws")}
    assert adapters == set()


def test_patching_does_no_io_but_reading_a_policy_file() -> None:
    io = {"os", "io", "socket", "subprocess", "shutil", "tempfile", "pathlib", "urllib", "http"}
    readers = {"yaml_file.py", "policy_file.py", "policy/document.py", "policy/part.py"}
    assert reached(files("patching"), io) == {f"patching/{name} -> pathlib" for name in readers}


def test_the_test_would_see_an_arrow_that_runs_up(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("def f() -> None:\n    import cli.main\n    from ops import fleet\n", encoding="utf-8")
    assert list(imports(file)) == ["cli.main", "ops"]


def test_the_test_would_see_a_circle_of_types(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("from b import x\n", encoding="utf-8")
    (tmp_path / "b.py").write_text("if TYPE_CHECKING:\n    import a\n", encoding="utf-8")
    assert set(circle([tmp_path / "a.py", tmp_path / "b.py"], tmp_path)) == {"a", "b"}
    assert circle([tmp_path / "a.py"], tmp_path) == []

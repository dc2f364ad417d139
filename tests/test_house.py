"""The laws of the house: who may import whom, what may be imported where, what may not stand in files."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "perfanalytics"

# folder -> the folders it may import (itself is always allowed)
MAY_IMPORT = {
    "core": set(),
    "repository": {"core"},
    "spc": {"core"},
    "comparisons": {"core", "spc"},
    "baselines": {"core", "spc", "comparisons"},
    "models": {"core", "spc", "comparisons", "baselines"},
    "practices": {"core", "spc", "comparisons", "baselines", "models"},
    "figures": {"core", "spc", "comparisons", "baselines", "models", "practices"},
    "reports": {"core", "spc", "comparisons", "baselines", "models", "practices", "figures"},
}
EVERYWHERE = {"_version"}


def imports(path: Path) -> set[str]:
    """Every module a file imports, also inside functions and under TYPE_CHECKING."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{a.name}" for a in node.names}
    return found


def files(folder: str) -> list[Path]:
    return sorted((PACKAGE / folder).rglob("*.py"))


@pytest.mark.parametrize("folder", sorted(f for f in MAY_IMPORT if (PACKAGE / f).is_dir()))
def test_a_folder_imports_only_what_lies_below_it(folder):
    allowed = MAY_IMPORT[folder] | EVERYWHERE | {folder}
    for path in files(folder):
        for module in imports(path):
            parts = module.split(".")
            if parts[0] == "perfanalytics" and len(parts) > 1:
                assert parts[1] in allowed, (
                    f"{path.relative_to(ROOT)} imports {module}: not allowed in {folder}/"
                )
            assert module != "perfanalytics", (
                f"{path.relative_to(ROOT)} imports the public face; import the module"
            )


def test_modules_do_not_import_in_a_circle():
    graph = {}
    for path in PACKAGE.rglob("*.py"):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        graph[name] = {m for m in imports(path) if m.startswith("perfanalytics.")}
    graph.pop("perfanalytics")  # the lazy public face points everywhere by design
    graph = {k: {m for m in v if m in graph and m != k} for k, v in graph.items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, "circle: " + " -> ".join([*trail[trail.index(name) :], name])
        if name not in done:
            for below in graph[name]:
                visit(below, (*trail, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_storage_engine_is_imported_in_one_file():
    using = [p for p in PACKAGE.rglob("*.py") if any(m.split(".")[0] == "duckdb" for m in imports(p))]
    assert [p.name for p in using] in (["duckdb_engine.py"], [])


def test_drawing_and_fitting_libraries_stay_on_their_shelves():
    for path in PACKAGE.rglob("*.py"):
        top = {m.split(".")[0] for m in imports(path)}
        folder = path.relative_to(PACKAGE).parts[0]
        if "plotly" in top:
            assert folder in ("figures", "reports"), path
        if "statsmodels" in top:
            assert folder in ("models", "comparisons", "baselines"), path
        if folder in ("core", "spc"):
            heavy = {
                m for m in imports(path) if m.startswith(("scipy.stats", "scipy.optimize", "statsmodels"))
            }
            assert not heavy, f"{path}: {heavy} on the path of a chart"


def test_importing_the_package_and_drawing_limits_loads_nothing_heavy():
    program = (
        "import sys, perfanalytics as perf; cheap = set(sys.modules);"
        "perf.control_chart([5, 4, 6, 5, 12, 5, 6, 4.5]);"
        "heavy = ('pandas', 'scipy.stats', 'statsmodels', 'plotly', 'duckdb', 'pyarrow');"
        "print([m for m in (*heavy, 'numpy') if m in cheap], [m for m in heavy if m in sys.modules])"
    )
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert out.stdout.strip() == "[] []"


def test_every_public_name_exists_and_is_documented():
    import perfanalytics as perf

    for name in perf.__all__:
        thing = getattr(perf, name)
        if name != "__version__" and (callable(thing) or isinstance(thing, type)):
            assert (thing.__doc__ or "").strip(), f"perf.{name} has no docstring"


def test_no_public_name_is_the_name_of_a_folder():
    import perfanalytics as perf

    folders = {p.stem for p in PACKAGE.iterdir() if p.is_dir() or p.suffix == ".py"}
    assert not folders & set(perf.__all__)


def test_every_kind_can_be_found():
    from perfanalytics.core.kinds import BULK_METHODS, KINDS, class_of, load
    from perfanalytics.core.result import Result
    from perfanalytics.figures.plot import FIGURES

    for kind in KINDS:
        assert class_of(kind).kind == kind
        if issubclass(class_of(kind), Result):
            assert class_of(kind).__repr__ is Result.__repr__, f"{kind}: give its dataclass repr=False"
    for reference in (*BULK_METHODS.values(), *FIGURES.values()):
        assert callable(load(reference))
    assert set(FIGURES) <= set(KINDS)


def tracked() -> list[Path]:
    out = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=ROOT, check=False)
    return [ROOT / line for line in out.stdout.splitlines()] if out.returncode == 0 else []


def test_no_registry_host_and_no_path_of_one_machine_in_tracked_files():
    host = re.compile(r"--(extra-)?index-url|\"resolved\": *\"http|registry *= *\"http|files\.pythonhosted")
    machine = re.compile(r"(^|[^A-Za-z0-9_.])/(work|farm|root)/")
    for path in tracked():
        if path.suffix in {".py", ".md", ".toml", ".txt", ".sql", ".ipynb", ".css", ".js", ".j2", ".R", ""}:
            if not path.is_file() or path.name in ("test_house.py", ".gitignore"):
                continue
            for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
                assert not host.search(line), f"{path}:{number} names a registry host"
                assert not machine.search(line), f"{path}:{number} names a path of one machine"

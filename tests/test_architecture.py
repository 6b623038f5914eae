"""The rules of the house, as tests."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "facevox"
FILES = sorted(SOURCE.rglob("*.py"))

LAYERS = [
    {"core"},
    {"nn"},
    {"models.face", "models.speech", "models.bridge"},
    {"systems", "data"},
    {"training", "evaluation"},
    {"recipes"},
    {"app"},
]
"""Lowest first; units on one line do not know each other."""

MAX_FILE_LINES, MAX_FUNCTION_LINES = 400, 60
PUBLIC = {SOURCE, SOURCE / "evaluation"}
"""Packages that offer names to users; all other `__init__` files are empty."""

REJECTED_FILES = {"utils", "helpers", "common", "misc", "tools", "scripts"}


def unit_of(module: str) -> str | None:
    parts = module.split(".")
    if parts[0] != "facevox" or len(parts) == 1:
        return None
    return ".".join(parts[1:3]) if parts[1] == "models" else parts[1]


def level_of(unit: str) -> int | None:
    return next((level for level, units in enumerate(LAYERS) if unit in units), None)


def imports_of(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
    return {name for name in names if name.startswith("facevox")}


def module_of(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def show(path: Path) -> str:
    return str(path.relative_to(SOURCE))


@pytest.mark.parametrize("path", FILES, ids=show)
def test_arrows_point_down(path):
    here = unit_of(module_of(path))
    if here is None or here not in {unit for units in LAYERS for unit in units}:
        return
    for name in imports_of(path):
        there = unit_of(name)
        if there is None or there == here or there.startswith("__"):
            continue
        assert level_of(there) is not None, f"{name} is in no layer"
        assert level_of(there) < level_of(here), f"{module_of(path)} must not import {name}"


def test_the_arrow_test_sees_an_upward_import(tmp_path):
    wrong = tmp_path / "wrong.py"
    wrong.write_text("def f():\n    from facevox.systems.lite import Lite\n    return Lite\n")
    (name,) = imports_of(wrong)
    assert level_of(unit_of(name)) > level_of("core")


def test_registry_names_import():
    from importlib import import_module

    from facevox.systems.registry import SYSTEMS

    for target in SYSTEMS.values():
        module, _, attribute = target.partition(":")
        assert hasattr(import_module(module), attribute)


@pytest.mark.parametrize("path", FILES, ids=show)
def test_files_and_functions_stay_small(path):
    text = path.read_text()
    assert len(text.splitlines()) <= MAX_FILE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and not module_of(path).startswith(
            "facevox.app.commands"
        ):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= MAX_FUNCTION_LINES, f"{node.name} has {lines} lines"


def test_no_drawer_for_odds_and_ends():
    names = {path.stem for path in FILES} | {path.parent.name for path in FILES}
    assert not names & REJECTED_FILES


@pytest.mark.parametrize("path", FILES, ids=show)
def test_nothing_executable_is_loaded(path):
    text = path.read_text()
    assert not re.search(r"\bimport pickle|\bpickle\.|joblib|allow_pickle=True", text)
    assert "torch.load(" not in text or "weights_only=True" in text


@pytest.mark.parametrize("path", FILES, ids=show)
def test_only_the_app_and_recipes_print(path):
    if unit_of(module_of(path)) in {"app", "recipes"}:
        return
    tree = ast.parse(path.read_text())
    mains = [s for s in tree.body if isinstance(s, ast.FunctionDef) and s.name == "main"]
    main = {node for function in mains for node in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node not in main:
            assert not (isinstance(node.func, ast.Name) and node.func.id == "print")


def glossary() -> list[tuple[str, list[str]]]:
    rows = re.findall(
        r"^\|[^|]*\| `(\w+)`[^|]*\|[^|]*\|([^|]*)\|$", (ROOT / "docs/glossary.md").read_text(), re.M
    )
    return [(name, re.findall(r"`(\w+)`", rejected)) for name, rejected in rows]


@pytest.mark.parametrize("path", FILES, ids=show)
def test_one_name_per_idea(path):
    rejected = {bad: good for good, bads in glossary() for bad in bads}
    assert rejected, "the glossary has no rejected names"
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.arg):
            names = [node.arg]
        elif isinstance(node, ast.Name):
            names = [node.id]
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names = [node.name]
        for name in names:
            assert name not in rejected, f"{name}: say {rejected[name]}"


def test_weights_are_small_and_have_cards():
    files = list((SOURCE / "weights").rglob("*.safetensors"))
    assert files
    for path in files:
        assert path.stat().st_size <= 30e6
        card = json.loads(path.with_suffix(".json").read_text())
        for key in ("licence", "data", "command"):
            assert card.get(key), f"{path.name}: the card lacks {key}"
    assert sum(path.stat().st_size for path in files) <= 80e6


def test_every_package_folder_is_a_package():
    for folder in {path.parent for path in FILES}:
        assert (folder / "__init__.py").exists(), folder
    for path in FILES:
        if path.name == "__init__.py" and path.parent not in PUBLIC:
            assert path.read_text() == "", f"{path} is not empty"


@pytest.mark.parametrize("package", ["facevox", "facevox.evaluation"])
def test_public_names_resolve_late(package):
    from importlib import import_module

    module = import_module(package)
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        module.nothing  # noqa: B018
    code = f"import sys, {package}; sys.exit(any(m in sys.modules for m in ('torch', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_repository_holds_no_large_file():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        assert not path.exists() or path.stat().st_size <= 30e6, name

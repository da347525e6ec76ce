"""Small (house rule 11), documented (rule 13), and generated files fresh (rule 10)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tools.reference import reference, stale
from typer import Typer

from tradepost.settings import Settings
from tradepost.surfaces.cli.main import cli

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "tradepost"
MOST_LINES = 400
MOST_LINES_OF_A_TEST = 600
MOST_LINES_OF_A_FUNCTION = 45
MARKDOWN = sorted(f for f in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").glob("*.md")])


def sources() -> Iterator[tuple[Path, str]]:
    for file in sorted(SOURCE.rglob("*.py")):
        yield file.relative_to(ROOT), file.read_text(encoding="utf-8")


def test_files_are_small() -> None:
    assert not [str(name) for name, text in sources() if text.count("\n") > MOST_LINES]
    tests = sorted((ROOT / "tests").rglob("*.py"))
    assert not [f.name for f in tests if f.read_text(encoding="utf-8").count("\n") > MOST_LINES_OF_A_TEST]


def test_functions_are_small() -> None:
    long = []
    for name, text in sources():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > MOST_LINES_OF_A_FUNCTION:
                    long.append(f"{name}: {node.name} has {lines} lines")
    assert not long


def test_everything_public_is_documented() -> None:
    """Modules, classes, functions and methods whose name does not begin with an underscore."""
    bare = []
    for name, text in sources():
        tree = ast.parse(text)
        if text.strip() and not ast.get_docstring(tree):
            bare.append(str(name))
        bare += [f"{name}: {found}" for found in _undocumented(tree)]
    assert not bare


def _undocumented(tree: ast.Module | ast.ClassDef, prefix: str = "") -> Iterator[str]:
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or node.name.startswith("_"):
            continue
        # A reader's two methods are the protocol's, which says what they do.
        inherited = node.name in ("read", "schema") and isinstance(tree, ast.ClassDef)
        if not ast.get_docstring(node) and not inherited:
            yield prefix + node.name
        if isinstance(node, ast.ClassDef) and not any(
            isinstance(b, ast.Name) and b.id == "Protocol" for b in node.bases
        ):
            yield from _undocumented(node, f"{node.name}.")


def test_generated_files_are_fresh() -> None:
    assert not stale(reference()), "run `make reference`"


def test_every_setting_is_documented() -> None:
    """By the name of its variable and with its default."""
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    assert not [name for name in Settings.model_fields if f"`TRADEPOST_{name.upper()}`" not in text]
    told = {found.lower() for found in re.findall(r"^\| `TRADEPOST_([A-Z0-9_]+)`", text, re.MULTILINE)}
    assert told == set(Settings.model_fields)


def test_every_verb_is_documented() -> None:
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    verbs = _verbs_of(cli)
    assert len(verbs) > 8
    assert not [verb for verb in verbs if f"`tradepost {verb}" not in text]


def _verbs_of(group: Typer, before: str = "") -> list[str]:
    """All that people may say, those of groups after the group's name, which one that only gathers has none."""
    verbs = [
        before + (verb.name or verb.callback.__name__)
        for verb in group.registered_commands
        if verb.callback is not None and not verb.hidden
    ]
    for inner in group.registered_groups:
        assert inner.typer_instance is not None
        verbs += _verbs_of(
            inner.typer_instance, f"{before}{inner.name} " if isinstance(inner.name, str) else before
        )
    return verbs


@pytest.mark.parametrize("file", MARKDOWN, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_lead_somewhere(file: Path) -> None:
    """Relative links of every page, and the files that pages name in backticks."""
    text = file.read_text(encoding="utf-8")
    without_code = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", without_code):
        assert (file.parent / target).exists(), target


def test_no_machine_and_no_registry_is_named() -> None:
    """Nothing that is committed says where it was written or where packages came from."""
    named = re.compile(r"(^|[\s\"'=(])/(root|home|Users|mnt)/|pythonhosted|pypi\.org|registry\.npmjs", re.MULTILINE)
    for file in [*ROOT.glob("*"), *(ROOT / "requirements").glob("*.txt"), *SOURCE.rglob("*.py"), *MARKDOWN]:
        if file.is_file():
            assert not named.search(file.read_text(encoding="utf-8")), file

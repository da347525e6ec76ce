"""Files in a directory of this machine, or of a file system that several machines share.

A file is written under a name that no reader can ask for, in the folder where it will stand, then renamed; the
file and the folders above it are brought to the disk before anybody is told that it is there. Disks are slow at
times, so everything that touches one runs in a thread.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from functools import partial
from io import FileIO
from pathlib import Path
from typing import TypeVar

import structlog

from tradepost.storage.files import (
    READ_BYTES,
    FileMissing,
    FilesUnavailable,
    PieceWriter,
    Writer,
    check_name,
    in_thread,
)

_Result = TypeVar("_Result")

_FOLDER_MODE = 0o700
_FILE_MODE = 0o600
_TRIES = 10

log = structlog.get_logger("tradepost.storage")


class LocalFiles:
    """A FileStore in a directory, which is made when the first file is written."""

    def __init__(self, root: Path) -> None:
        """`root` belongs to this store alone."""
        self._root = root.absolute()

    @asynccontextmanager
    async def writing(self, name: str) -> AsyncIterator[Writer]:
        """Write a file anew; it appears at the end, or not at all."""
        draft = _Draft(self._root, self._root / check_name(name))
        writer = PieceWriter(lambda piece: _on_disk(draft.write, piece))
        try:
            await _on_disk(draft.create)
            yield writer
            await writer.flush()
            await _on_disk(draft.publish)
        except BaseException:
            with suppress(FilesUnavailable):
                await _on_disk(draft.discard)
            raise

    async def size(self, name: str) -> int | None:
        """The number of bytes of a file, or None where there is no such file."""
        return await _on_disk(_size, self._root / check_name(name))

    def read(self, name: str) -> AsyncGenerator[bytes, None]:
        """The bytes of a file in pieces; raises FileMissing before the first of them."""
        return self._pieces(check_name(name))

    async def _pieces(self, name: str) -> AsyncGenerator[bytes, None]:
        with ExitStack() as held:
            file = await _on_disk(_open, self._root / name, held)
            if file is None:
                raise FileMissing(name)
            while piece := await _on_disk(file.read, READ_BYTES):
                yield piece

    async def delete_all(self, prefix: str) -> int:
        """Delete every file below a folder and the folder; gives how many files there were."""
        return await _on_disk(_delete_tree, self._root / check_name(prefix))


class _Draft:
    """A file while it is written. Its methods block; a draft is used by one thread at a time."""

    def __init__(self, root: Path, target: Path) -> None:
        self._root = root
        self._target = target
        self._path = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
        self._file: FileIO | None = None

    def create(self) -> None:
        """Make the file and the folders above it."""
        for left in reversed(range(_TRIES)):
            try:
                for folder in reversed(self._target.parents):
                    folder.mkdir(_FOLDER_MODE, exist_ok=True)
                self._file = FileIO(self._path, "x", opener=partial(os.open, mode=_FILE_MODE))
                return
            except FileNotFoundError:
                # Somebody deletes the folder at this moment.
                if not left:
                    raise

    def write(self, piece: bytearray) -> None:
        """Add to the end."""
        assert self._file is not None
        rest = memoryview(piece)
        while rest:
            rest = rest[self._file.write(rest) :]

    def publish(self) -> None:
        """Give the file its name, once it is on the disk for certain."""
        assert self._file is not None
        os.fsync(self._file.fileno())
        self._file.close()
        self._path.replace(self._target)
        # Up to the root each time: whoever made a folder may have been killed before it was on the disk.
        for folder in self._target.parents:
            _sync_folder(folder)
            if folder == self._root.parent:
                break

    def discard(self) -> None:
        """Remove what was written so far; nothing to do once it has its name."""
        if self._file is not None:
            self._file.close()
            self._path.unlink(missing_ok=True)


async def _on_disk(work: Callable[..., _Result], *given: object) -> _Result:
    """Do blocking work aside; raises FilesUnavailable where the disk does not do its part."""
    try:
        return await in_thread(None, work, *given)
    except OSError as error:
        log.warning("files unavailable", error=repr(error))
        raise FilesUnavailable from error


def _size(path: Path) -> int | None:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _open(path: Path, held: ExitStack) -> FileIO | None:
    """Open a file to read it, to be closed with `held`; None where there is none."""
    try:
        return held.enter_context(FileIO(path))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _delete_tree(folder: Path) -> int:
    """Delete what is in a folder and the folder; a file that somebody begins there meanwhile stays."""
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except (FileNotFoundError, NotADirectoryError):
        return 0
    count = 0
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            count += _delete_tree(Path(entry.path))
            continue
        with suppress(FileNotFoundError):
            os.unlink(entry.path)
            count += not entry.name.startswith(".")
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST):
            raise
    return count

"""Files in a bucket of an S3-compatible service.

A small file is one request. A larger one goes up in parts, which become an object only when the last request
puts them together; a writer that is killed before leaves parts that nobody sees, and that the bucket's own
lifecycle rule has to remove, because the service lists them nowhere that this store looks.

The library is asked in threads of ours. Its own way with coroutines leaves threads behind that meet a Python
which is ending, and now and then abort the process on its way out.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import S3Store

from tradepost.storage.files import (
    READ_BYTES,
    FileMissing,
    FilesUnavailable,
    PieceWriter,
    Writer,
    check_name,
    in_thread,
)

if TYPE_CHECKING:
    from obstore.store import S3Credential  # only its type stubs have it

PART_BYTES = 8 << 20
# One part travels while the next one is filled.
PARTS_AT_ONCE = 2
PATIENCE_SECONDS = 20.0
CONNECT_SECONDS = 5.0
MOST_RETRIES = 4
# Whoever reads a file slowly is no fault of the service, so whole requests may take this long.
LONGEST_REQUEST_HOURS = 24
DELETED_AT_ONCE = 1000
# Questions that wait for the service at the same time; further ones queue.
THREADS = 16
LONGEST_REASON = 300

_Result = TypeVar("_Result")

log = structlog.get_logger("tradepost.storage")


class S3Files:
    """A FileStore in a bucket, or in a folder of one."""

    def __init__(
        self,
        bucket: str,
        prefix: str,
        *,
        endpoint: str | None,
        region: str,
        key_id: str,
        secret: str,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """`prefix` is "" for the whole bucket; `endpoint` is None for Amazon's in the region.

        `patience_seconds` is how long the service may be silent; a request is tried again for half as long.
        """
        address = endpoint or f"https://s3.{region}.amazonaws.com"
        patience = timedelta(seconds=patience_seconds)
        credential: S3Credential = {"access_key_id": key_id, "secret_access_key": secret, "expires_at": None}
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="files")
        # The library takes from the environment what it is not told; all that could mislead it is told here.
        self._store = S3Store(
            bucket,
            prefix=prefix or None,
            # This one and not `endpoint`, because AWS_ENDPOINT_URL_S3 in the environment beats that.
            aws_endpoint_url_s3=address,
            region=region,
            credential_provider=lambda: credential,
            skip_signature=False,
            unsigned_payload=False,
            virtual_hosted_style_request=False,
            client_options={
                "allow_http": address.lower().startswith("http:"),
                "connect_timeout": timedelta(seconds=CONNECT_SECONDS),
                "read_timeout": patience,
                "timeout": timedelta(hours=LONGEST_REQUEST_HOURS),
            },
            retry_config={"max_retries": MOST_RETRIES, "retry_timeout": patience / 2},
        )

    @asynccontextmanager
    async def writing(self, name: str) -> AsyncIterator[Writer]:
        """Write a file anew; it appears at the end, or not at all."""
        upload = obstore.open_writer(
            self._store, check_name(name), buffer_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
        )
        writer = PieceWriter(lambda piece: self._ask(upload.write, piece))
        try:
            yield writer
            await writer.flush()
        except BaseException as error:
            # Left with an error, it takes back the parts that are there already.
            with suppress(FilesUnavailable):
                await self._ask(upload.__exit__, type(error), error, error.__traceback__)
            raise
        await self._ask(upload.close)

    async def size(self, name: str) -> int | None:
        """The number of bytes of a file, or None where there is no such file."""
        found = await self._ask(_found, obstore.head, self._store, check_name(name))
        return None if found is None else found["size"]

    def read(self, name: str) -> AsyncGenerator[bytes, None]:
        """The bytes of a file in pieces; raises FileMissing before the first of them."""
        return self._pieces(check_name(name))

    async def _pieces(self, name: str) -> AsyncGenerator[bytes, None]:
        found = await self._ask(_found, obstore.get, self._store, name)
        if found is None:
            raise FileMissing(name)
        stream = iter(found.stream(min_chunk_size=READ_BYTES))
        while (chunk := await self._ask(next, stream, None)) is not None:
            view = memoryview(chunk)
            for start in range(0, len(view), READ_BYTES):
                yield bytes(view[start : start + READ_BYTES])

    async def delete_all(self, prefix: str) -> int:
        """Delete every file below a folder; gives how many there were."""
        return await self._ask(self._delete_all, check_name(prefix))

    def _delete_all(self, prefix: str) -> int:
        count = 0
        for files in obstore.list(self._store, prefix, chunk_size=DELETED_AT_ONCE):
            obstore.delete(self._store, [file["path"] for file in files])
            count += len(files)
        return count

    async def _ask(self, work: Callable[..., _Result], *given: object) -> _Result:
        """Ask the service something, aside; raises FilesUnavailable where it does not do its part."""
        try:
            return await in_thread(self._threads, work, *given)
        except (BaseError, OSError) as error:
            # Refused keys and a bucket that is not there are for an operator to mend, and then work as well.
            told = str(error).partition("\n")[0][:LONGEST_REASON]
            log.warning("files unavailable", error=f"{type(error).__name__}: {told}")
            raise FilesUnavailable from error


def _found(ask: Callable[[S3Store, str], _Result], store: S3Store, name: str) -> _Result | None:
    """The answer to a question about a file, or None where there is no such file."""
    try:
        return ask(store, name)
    except FileNotFoundError:
        return None

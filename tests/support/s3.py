"""An S3-compatible service of our own: a real server process that checks signatures and keeps files on disk.

One thing that real services promise it does not: a file that is replaced while it is read comes out mixed with
the new one.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.database import data_folder
from tests.support.program import Program, kill, wait_until
from tradepost.storage.files_s3 import S3Files

BUCKET = "tradepost-test"
REGION = "us-east-1"
KEY_ID = "tradepost-key"
SECRET = "tradepost-secret"
_STARTED = re.compile(r"Starting s3 server on \[(http://127\.0\.0\.1:\d+)/\]")


@dataclass(frozen=True)
class S3Server:
    """A service with one bucket; `folder` holds what is in it, unfinished uploads included."""

    endpoint: str
    folder: Path
    pid: int

    def files(self, prefix: str) -> S3Files:
        """A store in a folder of the bucket, which need not be there."""
        return S3Files(BUCKET, prefix, endpoint=self.endpoint, region=REGION, key_id=KEY_ID, secret=SECRET)

    def settings(self, prefix: str) -> dict[str, str]:
        """The settings of a program that keeps its files in a folder of the bucket."""
        return {
            "files_url": f"s3://{BUCKET}/{prefix}",
            "s3_endpoint": self.endpoint,
            "s3_region": REGION,
            "s3_access_key_id": KEY_ID,
            "s3_secret_access_key": SECRET,
        }

    def kept(self, prefix: str) -> list[str]:
        """The names of everything below a folder of the bucket as it lies on the disk."""
        return sorted(file.name for file in (self.folder / prefix).rglob("*") if file.is_file())


@contextmanager
def running_s3() -> Iterator[S3Server]:
    """A service on a free port of loopback, ended in the end whatever happened to it."""
    with data_folder() as folder:
        bucket = folder / "buckets" / BUCKET
        bucket.mkdir(parents=True)
        log = folder / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    Path(sys.executable).parent / "rclone", "serve", "s3", bucket.parent,
                    "--addr", "127.0.0.1:0", "--auth-key", f"{KEY_ID},{SECRET}",
                    "--config", os.devnull, "--cache-dir", folder / "cache",
                ],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        try:
            wait_until(
                lambda: _STARTED.search(log.read_text()) is not None or process.poll() is not None,
                what="the start of the S3 server",
            )
            started = _STARTED.search(log.read_text())
            assert started is not None, log.read_text()
            address = urlsplit(started[1])
            wait_until(lambda: _accepts(address.hostname, address.port), what="a connection to the S3 server")
            yield S3Server(started[1], bucket, process.pid)
        finally:
            kill(process.pid)
            process.wait()


def _accepts(host: str | None, port: int | None) -> bool:
    try:
        with socket.create_connection((host, port or 0), timeout=1):
            return True
    except OSError:
        return False


@dataclass(frozen=True)
class Store:
    """Where a program under test keeps its files: the settings that say so, and a folder to look into."""

    settings: Mapping[str, str]
    folder: Path | None = None

    def root(self, running: Program) -> Path:
        """The folder in which the files lie under their names."""
        return running.folder / "files" if self.folder is None else self.folder


@contextmanager
def store(kind: str) -> Iterator[Store]:
    """A `folder` of the program's own, or a bucket of a service (`s3`) that is started for it."""
    if kind == "folder":
        yield Store({})
        return
    with running_s3() as service:
        yield Store(service.settings("kept"), service.folder / "kept")

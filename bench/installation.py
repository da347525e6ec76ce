"""The program as its users start it, in a data folder of its own, and the bare limit on the same database."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from bench.catalogue import Catalogue, fill
from tradepost.settings import Settings

START_SECONDS = 60
STOP_SECONDS = 40
# Measured is the counting of calls, never the refusing.
RATE_LIMITS = {"merchant/default": 100_000_000, "wishpost/default": 100_000_000}


@dataclass(frozen=True, slots=True)
class Installation:
    """A running program with a catalogue: `host` is where it listens."""

    host: str
    catalogue: Catalogue
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Started:
    """A running program: `host` is where it listens, `environment` what leads other processes to it."""

    host: str
    environment: Mapping[str, str]

    @property
    def wishpost(self) -> str:
        """Where WishPost listens."""
        told = json.loads((Path(self.environment["TRADEPOST_DATA"]) / "serving.json").read_text(encoding="utf-8"))
        return str(urlsplit(told["wishpost"]).netloc)

    @property
    def settings(self) -> Settings:
        """The settings of the program, as far as they lead to its database."""
        return Settings(data=Path(self.environment["TRADEPOST_DATA"]))


@contextmanager
def installed(variations: int, **settings: str) -> Iterator[Installation]:
    """A program of its own with so many variations, stopped and gone at the end; settings by their names."""
    with started(**settings) as program:
        catalogue = asyncio.run(fill(program.settings, variations))
        yield Installation(program.host, catalogue, program.environment)


@contextmanager
def second_worker(program: Started) -> Iterator[None]:
    """Another `tradepost work` beside the one that a program started itself."""
    with process(["-m", "tradepost", "work"], program.environment, subprocess.DEVNULL):
        yield


@contextmanager
def started(**settings: str) -> Iterator[Started]:
    """A program of its own, stopped and gone at the end; settings by their names, `log_level="info"`."""
    folder = Path(tempfile.mkdtemp(prefix="tradepost-bench-"))
    if os.geteuid() == 0:
        folder.chmod(0o711)  # the database runs as another account then, and has to reach its folder
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TRADEPOST_")} | {
        "TRADEPOST_DATA": str(folder),
        "TRADEPOST_PORT": "0",
        "TRADEPOST_WISHPOST_PORT": "0",
        "TRADEPOST_RATE_LIMITS": json.dumps(RATE_LIMITS),
        "TRADEPOST_LOG_LEVEL": "warning",
    }
    environment |= {f"TRADEPOST_{name.upper()}": text for name, text in settings.items()}
    log = folder / "log"
    try:
        with log.open("wb") as output, process(["-m", "tradepost", "serve"], environment, output) as server:
            yield Started(_wait_until_ready(server, folder / "serving.json", log), environment)
    finally:
        shutil.rmtree(folder)


@contextmanager
def bare_beside(installation: Installation) -> Iterator[str]:
    """The bare limit on the database of an installation; gives where it listens."""
    catalogue = installation.catalogue
    accounts = {"wide": catalogue.wide, "narrow": catalogue.narrow, "far": catalogue.far}
    told = json.dumps({name: (shop.id, shop.token) for name, shop in accounts.items()})
    with bare_process(["bench.bare"], told, installation.environment) as host:
        yield host


@contextmanager
def bare_process(module: list[str], told: str, environment: Mapping[str, str]) -> Iterator[str]:
    """A bare limit, which reads what it is told and answers with its port; gives where it listens."""
    with process(["-m", *module], environment, subprocess.PIPE) as bare:
        assert bare.stdin is not None
        assert bare.stdout is not None
        bare.stdin.write(told.encode())
        bare.stdin.close()
        port = bare.stdout.readline().decode().strip()
        if not port:
            raise SystemExit("The bare limit did not start.")
        yield f"127.0.0.1:{port}"


@contextmanager
def process(
    arguments: list[str], environment: Mapping[str, str], output: IO[bytes] | int
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of this Python, ended with whoever wants it."""
    with subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output if output is not subprocess.PIPE else None,
    ) as begun:
        try:
            yield begun
        finally:
            begun.terminate()
            try:
                begun.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                begun.kill()


def _wait_until_ready(process: subprocess.Popen[bytes], addresses: Path, log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            url: str = json.loads(addresses.read_text(encoding="utf-8"))["merchant"]
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                return urlsplit(url).netloc
        except (FileNotFoundError, ValueError, urllib.error.URLError):
            time.sleep(0.05)
    raise SystemExit(f"The program did not start:\n{log.read_text(encoding='utf-8', errors='replace')}")

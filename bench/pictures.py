"""What uploads of pictures of 5 MB cost everybody else: another merchant's reads, in quiet and beside uploads."""

from __future__ import annotations

import base64
import io
import multiprocessing
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from urllib.parse import urlencode

from PIL import Image

from bench.batch import READERS, READS_PER_SECOND, ask
from bench.catalogue import Shop
from bench.installation import Started
from bench.pace import Paced, paced

SPAWN = multiprocessing.get_context("spawn")
LEAST_BYTES, MOST_BYTES = 9 << 19, 5 << 20  # 4.5 to 5 MiB


@dataclass(frozen=True, slots=True)
class Uploads:
    """Rounds without uploads and rounds beside them, by turns, and how many uploads there were."""

    quiet: Sequence[Paced]
    busy: Sequence[Paced]
    uploads: int

    def ratios(self) -> list[float]:
        """The 99th percentile beside uploads to that in quiet, round by round."""
        return [busy.p99_ms / quiet.p99_ms for quiet, busy in zip(self.quiet, self.busy, strict=True)]


def upload_neighbour(program: Started, shop: Shop, other: Shop, rounds: int, seconds: int) -> Uploads:
    """Another merchant's single reads, at a fixed pace, while one picture after the other is uploaded."""
    body = urlencode({"image": base64.b64encode(large_picture(7)).decode()}).encode()
    paths = [f"/api/v2/product?id={key}" for key in other.product_ids[:1000]]
    uploads = 0

    def read() -> Paced:
        return paced(program.host, other.token, paths, READERS, READS_PER_SECOND, seconds)

    def read_beside() -> Paced:
        nonlocal uploads
        # A process of its own: sending keeps the one that reads from reading.
        ours, theirs = SPAWN.Pipe()
        uploader = SPAWN.Process(target=_upload_until_told, args=(theirs, program, shop, body))
        uploader.start()
        ours.recv()
        try:
            return read()
        finally:
            ours.send(None)
            uploads += ours.recv()
            uploader.join()

    read()  # fills caches; not counted
    ask(program, shop, "/api/v2/image", body)  # starts the room that pictures are made in
    quiet, busy = [], []
    for _ in range(rounds):
        quiet.append(read())
        busy.append(read_beside())
    return Uploads(quiet, busy, uploads)


def _upload_until_told(told: Connection, program: Started, shop: Shop, body: bytes) -> None:
    told.send(None)
    count = 0
    while not told.poll():
        ask(program, shop, "/api/v2/image", body)
        count += 1
    told.send(count)


def large_picture(seed: int) -> bytes:
    """A JPEG of nearly 5 MB, of noise, so that it takes long to make anew."""
    made = Image.frombytes("RGB", (2_400, 1_600), random.Random(seed).randbytes(3 * 2_400 * 1_600))
    for quality in range(97, 80, -1):
        out = io.BytesIO()
        made.save(out, "JPEG", quality=quality)
        if out.tell() <= MOST_BYTES:
            assert out.tell() >= LEAST_BYTES, out.tell()
            return out.getvalue()
    raise AssertionError("no quality gives the size")


def told(result: Uploads) -> str:
    """What is printed."""
    ratios = result.ratios()
    quiet, busy = (statistics.median(paced.p99_ms for paced in rounds) for rounds in (result.quiet, result.busy))
    return (
        f"Another merchant's reads, {READS_PER_SECOND} a second: p99 {quiet:.1f} ms in quiet, {busy:.1f} ms beside "
        f"uploads of 5 MB ({result.uploads} in all), {statistics.median(ratios):.1f} times as much "
        f"[{min(ratios):.1f}-{max(ratios):.1f}]."
    )

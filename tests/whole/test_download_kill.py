"""R02 and R25. A download is complete or absent, whoever is killed while it is made.

Downloads are made while workers, backends and the postmaster are killed (R02), or workers at moments when a file is
half written (R25). Meanwhile somebody looks at the status, at the link and at the folder of the files again and
again: whatever they show is the whole file that was made before anybody was killed. In the end there are a link,
one file, no drafts, and one letter or one more for each kill.

An export takes about half a second longer here than by itself, so that kills land inside of it.

As a script it prints one line for each figure, and ends with 0 (held), 1 (did not) or 2 (could not be tried):

    python -m tests.whole.test_download_kill --size full --seed 7
"""

from __future__ import annotations

import hashlib
import http.client
import json
import random
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.support.jobs import CRASHES, OPEN, Auditor, Crew, Figure, Finding, auditing, link_of, start_download
from tests.support.mailbox import Mailbox, mailbox
from tests.support.program import Client, Program, serving, wait_until
from tests.support.s3 import store
from tests.whole.test_outbox import mail_settings

EXPORT_SECONDS = 0.6
MOST_TRIES = 6
DESCRIPTION = "A ring. " * 200
LIMITS = json.dumps({"merchant/default": 10_000_000})


@dataclass(frozen=True)
class Size:
    """How large the catalogue is, and how many downloads are made with how many kills each."""

    products: int
    variations: int
    downloads: int
    kills: int


@dataclass(frozen=True)
class Whole:
    """A file as it has to be."""

    size: int
    digest: bytes

    @classmethod
    def of(cls, contents: bytes) -> Whole:
        """What tells this file from any other."""
        return cls(len(contents), hashlib.sha256(contents).digest())


class Onlooker(threading.Thread):
    """Asks for the status and follows the link, and looks into the folder, again and again."""

    def __init__(self, running: Program, token: str, folder: Path, whole: Whole) -> None:
        super().__init__(name="onlooker")
        self._client = Client(running.merchant, token)
        self._folder = folder
        self._whole = whole
        self._known: set[int] = set()
        self.job_id: str | None = None
        self.over = threading.Event()
        self.looks = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        """Look until told to stop."""
        while not self.over.is_set():
            if (job_id := self.job_id) is not None:
                self.look_into_the_folder(job_id)
                self.follow_the_link(job_id)
                self.looks += 1
            self.over.wait(0.01)
        self._client.close()

    def look_into_the_folder(self, job_id: str) -> None:
        """Whatever has a name there is whole; a draft has none yet."""
        for file in names_in(self._folder / job_id):
            try:
                found = file.stat()
                if found.st_size == self._whole.size and found.st_ino in self._known:
                    continue
                contents = file.read_bytes()
            except FileNotFoundError:
                continue  # the next try begins with an empty folder
            if Whole.of(contents) == self._whole:
                self._known.add(found.st_ino)
            else:
                self.wrong.append(f"{file.name} is there with {len(contents)} of {self._whole.size} bytes")

    def follow_the_link(self, job_id: str) -> None:
        """Where there is a link, it leads to the whole file, or to an answer that is cut because of a kill."""
        link = link_of(self._client, job_id)
        if link is None:
            return
        try:
            reply = self._client.get(link)
        except (OSError, http.client.HTTPException):
            return
        if reply.status != 503 and (reply.status, Whole.of(reply.body)) != (200, self._whole):
            self.wrong.append(f"the link of {job_id} gave {reply.status} and {len(reply.body)} bytes")


def names_in(folder: Path) -> list[Path]:
    """The files of a folder that are there for everybody."""
    return [file for file in entries_of(folder) if not file.name.startswith(".")]


def entries_of(folder: Path) -> list[Path]:
    """Every file in a folder and the folders in it, drafts too."""
    try:
        return [file for file in folder.rglob("*") if not file.is_dir()]
    except (FileNotFoundError, NotADirectoryError):
        return []  # deleted under our eyes


def run(kinds: Sequence[str], size: Size, seed: int, spoiled: str | None, kind: str = "folder") -> Finding:
    """Make downloads one after the other, and kill at each of them."""
    source = random.Random(seed)
    with (
        mailbox() as box,
        store(kind) as kept,
        serving(
            "--workers", "2", spoiled=spoiled, rate_limits=LIMITS, **mail_settings(box), **kept.settings
        ) as running,
        auditing(running) as auditor,
    ):
        member = running.credentials()["merchants"][0]
        auditor.stock_up(member["id"], size.products, size.variations, DESCRIPTION)
        auditor.watch()
        with Client(running.merchant, member["access_token"]) as client:
            folder = kept.root(running) / "downloads" / member["id"]
            run_of = _Run(running, auditor, client, folder, kind == "folder", source, box)
            whole = run_of.make_one()
            auditor.slow_exports(EXPORT_SECONDS / (size.products // 100 * size.variations))
            onlooker = Onlooker(running, member["access_token"], run_of.folder, whole)
            onlooker.start()
            try:
                for _ in range(size.downloads):
                    run_of.kill_at_one(onlooker, kinds, size.kills)
                    run_of.judge(onlooker, whole)
            finally:
                onlooker.over.set()
                onlooker.join()
        assert running.stop() == 0
    told = {"downloads": size.downloads, **run_of.told, "bytes": whole.size, "looks": onlooker.looks}
    return Finding(onlooker.wrong + run_of.wrong, run_of.told["in-window"] > 0, told)


class _Run:
    """The downloads of one shop, and what was seen of them."""

    def __init__(
        self,
        running: Program,
        auditor: Auditor,
        client: Client,
        folder: Path,
        shows_drafts: bool,
        source: random.Random,
        box: Mailbox,
    ) -> None:
        self.folder = folder
        self._shows_drafts = shows_drafts
        self.wrong: list[str] = []
        self.told = {"kills": 0, "in-window": 0, "letters": 0}
        self._auditor = auditor
        self._client = client
        self._source = source
        self._box = box
        self._crew = Crew(running, auditor, source)
        self._kills = 0
        self._job_id = ""

    def make_one(self) -> Whole:
        """The file as it is when nobody disturbs."""
        job_id = start_download(self._client)
        self._auditor.await_end([job_id])
        return Whole.of(self._client.get(link_of(self._client, job_id) or "").body)

    def kill_at_one(self, onlooker: Onlooker, kinds: Sequence[str], kills: int) -> None:
        """Ask for a file, and kill that often while it is written."""
        self._job_id = job_id = onlooker.job_id = start_download(self._client)
        self._kills = 0
        while self._kills < kills:
            wait_until(lambda: self._is_begun() or not self._is_open(), 30.0, "an export")
            time.sleep(self._source.uniform(0, EXPORT_SECONDS))  # the moment must be anybody's guess
            if not self._is_open():
                break
            self.told["in-window"] += self._is_begun()
            self._crew.disturb(kinds[self._kills % len(kinds)], job_id, MOST_TRIES)
            self._kills += 1
        self._auditor.await_end([job_id])
        self.told["kills"] += self._kills

    def judge(self, onlooker: Onlooker, whole: Whole) -> None:
        """What has to be there in the end, and only that."""
        found = entries_of(self.folder / self._job_id)
        if [file.name.startswith(".") for file in found] != [False]:
            self.wrong.append(f"{self._job_id} left {sorted(file.name for file in found)}")
        job = self._auditor.job(self._job_id)
        link = link_of(self._client, self._job_id)
        if job["state"] != "finished" or link is None:
            self.wrong.append(f"{self._job_id} is {job['state']}, {job['error']}, its link is {link}")
        else:
            onlooker.job_id = None
            reply = self._client.get(link)
            if (reply.status, Whole.of(reply.body)) != (200, whole):
                self.wrong.append(f"{self._job_id}: {reply.status} and {len(reply.body)} bytes in the end")
        letters = sum(self._job_id in letter.text for letter in self._box.letters)
        if not 1 <= letters <= 1 + self._kills:
            self.wrong.append(f"{self._job_id}: {letters} letters after {self._kills} kills")
        self.told["letters"] += letters

    def _is_begun(self) -> bool:
        if not self._shows_drafts:
            return bool(self._auditor.job(self._job_id)["state"] == "running")
        return bool(entries_of(self.folder / self._job_id))

    def _is_open(self) -> bool:
        return self._auditor.job(self._job_id)["state"] in OPEN


R02 = Figure(
    "R02",
    "incomplete-or-missing",
    partial(run, CRASHES),
    {"smoke": Size(1_250, 4, 1, 3), "full": Size(50_000, 1, 17, 3)},
    mutant="appended_drafts",
)
R25 = Figure(
    "R25",
    "half-files",
    partial(run, ["worker"]),
    {"smoke": Size(1_250, 4, 2, 5), "full": Size(1_250, 4, 60, 5)},
    mutant="no_drafts",
)


# -- tests


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_a_download_is_complete_or_absent_whoever_is_killed(kind: str) -> None:
    seed = random.randrange(1 << 16)
    found = run(["worker", "worker", "backend", "worker", "postmaster"], Size(1_250, 4, 2, 5), seed, None, kind)
    print(seed, found.told)
    assert found.wrong == []
    assert found.tried


if __name__ == "__main__":
    sys.exit(max(figure.main(__doc__) for figure in (R02, R25)))

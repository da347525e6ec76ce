"""S11. A download link serves its file to whoever has it, and nothing else to anybody.

One good link is tried with every byte of its signature changed, for another merchant and another job (also with a
signature of the right key), with another expiry, version and key, with names that lead out of the folder, after it
expired, after its job was cancelled and after the token that asked for it was revoked.

As a script it prints one line, and ends with 0 (held), 1 (did not) or 2 (could not be tried):

    python -m tests.whole.test_links
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import string
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.support.answer import Answer
from tests.support.jobs import Auditor, Figure, Finding, auditing, link_of, start_bulk, start_download
from tests.support.program import Client, Program, serving
from tests.support.s3 import store
from tradepost.domain.downloads import LinkKeys

PRODUCTS, VARIATIONS = 3_000, 2
DESCRIPTION = "A ring. " * 250
LARGE = 10 * 1024 * 1024
LETTERS = string.ascii_letters + string.digits + "-_"


@dataclass(frozen=True)
class Link:
    """A link in its parts."""

    name: str
    expires: str
    key: str
    signature: str

    @classmethod
    def of(cls, path: str) -> Link:
        """Take a path with its query apart."""
        parts = urlsplit(path)
        query = parse_qs(parts.query)
        return cls(parts.path.rpartition("/")[2], query["expires"][0], query["key"][0], query["signature"][0])

    def path(self, name: str | None = None, **changed: str) -> str:
        """The path with its query, some of it changed."""
        told = {"expires": self.expires, "key": self.key, "signature": self.signature, **changed}
        return f"/downloads/{self.name if name is None else name}?" + "&".join(f"{n}={v}" for n, v in told.items())


class Tried:
    """Which links were tried, and what came back that should not have."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.count = 0
        self.wrong: list[str] = []

    def refuse(self, path: str, status: int = 404, code: int = 4001) -> None:
        """A link that has to be refused by an answer of the usual form, for HEAD as for GET."""
        self.count += 1
        reply = self._client.get(path)
        head = self._client.head(path)
        if (reply.status, head.status) != (status, status):
            self.wrong.append(f"{path}: {reply.status}, HEAD {head.status}")
        elif not reply.headers["content-type"].startswith("application/json") or reply.code != code:
            self.wrong.append(f"{path}: {reply.body[:200]!r}")

    def serve(self, path: str, contents: bytes) -> None:
        """A link that has to give this file."""
        self.count += 1
        reply, head = self._client.get(path), self._client.head(path)
        for answer in (reply, head):
            self.wrong += [f"{path}: {line}" for line in judge_served(answer, len(contents))]
        if hashlib.sha256(reply.body).digest() != hashlib.sha256(contents).digest() or head.body:
            self.wrong.append(f"{path}: {len(reply.body)} bytes for GET, {len(head.body)} for HEAD")


def judge_served(answer: Answer, size: int) -> Iterator[str]:
    """What is wrong with the head of an answer that serves a file of this size."""
    if answer.status != 200:
        yield f"status {answer.status}"
        return
    headers = answer.headers
    disposition = headers["content-disposition"]
    if headers["content-type"] != "application/octet-stream":
        yield f"content type {headers['content-type']}"
    if not re.fullmatch(r'attachment; filename="[0-9a-f]{24}-[0-9a-f]{24}-\d{4}(-\d\d){5}\.csv"', disposition):
        yield f"disposition {disposition}"
    if headers["content-length"] != str(size):
        yield f"length {headers['content-length']}"
    if headers.get("x-content-type-options") != "nosniff":
        yield "a browser may take it for something else"
    if "no-store" not in headers.get("cache-control", ""):
        yield "it may be kept by caches"


def forged_names(good: str) -> Iterator[str]:
    """Names that would lead somewhere else if anybody believed them, as they stand in a path."""
    yield from ("", ".", "..", "%00", quote("\\"), "link.key", "%2e%2e%2flink.key", "..%2f..%2flink.key")
    yield from ("../link.key", "../../link.key", "..%5c..%5clink.key", "%252e%252e%252flink.key", "%2fetc%2fpasswd")
    yield from (
        "/etc/passwd",
        "//etc/passwd",
        "C:%5cwindows%5cwin.ini",
        "con.csv",
        "nul",
        "%c0%ae%c0%ae%c0%aflink.key",
    )
    yield from ("a" * 5_000, quote("名" * 300), good + "%00", good + "%0a", good + ".", good + "%20", "%20" + good)
    yield from (good.upper(), f"../{good}", f"x/../{good}"[1:], f"{good}/", good.replace(".csv", ".CSV"), good[:-4])
    yield from (good.replace("-", "%e2%80%90"), good.replace("-", "--", 1), "files/" + good, good + "%3fexpires=1")


def forgeries(link: Link, keys: LinkKeys, other_merchant: str, job_ids: Mapping[str, str]) -> Iterator[str]:
    """Links that somebody made of a good one; where `keys` sign, they are signed rightly and lead to nothing."""
    for at, letter in enumerate(link.signature):
        for other in {LETTERS[LETTERS.index(letter) ^ 1], "A" if letter != "A" else "B"}:
            yield link.path(signature=link.signature[:at] + other + link.signature[at + 1 :])
    for other in LETTERS.replace(link.signature[-1], ""):
        yield link.path(signature=link.signature[:-1] + other)
    for signature in (
        "",
        "A",
        link.signature[:-1],
        link.signature + "A",
        link.signature + "=",
        link.signature.lower(),
        "%00",
        "%e4",
    ):
        yield link.path(signature=signature)
    for expires in (
        str(int(link.expires) + 1),
        str(int(link.expires) - 1),
        "9" * 12,
        "0",
        "-1",
        "",
        "1e9",
        "%d9%a1",
        "9" * 30,
    ):
        yield link.path(expires=expires)
    for key in ("", "00000000", link.key.upper() + "0", link.key[:-1], "%00", "__class__"):
        yield link.path(key=key)
    account, job, version, moment = link.name.removesuffix(".csv").split("-")
    for name in (
        f"{other_merchant}-{job}-{version}-{moment}.csv",
        f"{account}-{job_ids['other']}-{version}-{moment}.csv",
        f"{account}-{job}-{int(version) + 1}-{moment}.csv",
        f"{account}-{job}-0-{moment}.csv",
        f"{account}-{job}-{version}-20200101T000000Z.csv",
        *forged_names(link.name),
    ):
        yield link.path(name)
    yield f"/downloads/{link.name}"
    yield f"/downloads/{link.name}?signature={link.signature}"
    yield link.path() + f"&signature={'A' * 43}"
    yield link.path() + "&more=1" * 20
    now = datetime.now(UTC)
    for merchant, wanted, number in (
        (other_merchant, job, int(version)),
        (other_merchant, job_ids["foreign"], int(version) + 7),
        (account, job_ids["foreign"], int(version)),
        (account, job_ids["other"], int(version) + 7),
        (account, job_ids["bulk"], 1),
        (account, "0" * 24, 1),
        (account, job, int(version) + 1),
        (account, job, 0),
    ):
        yield keys.path(merchant, wanted, number, now)


def run(products: int, seed: int, spoiled: str | None, kind: str = "folder") -> Finding:
    """Make one file of more than 10 MB, and try all kinds of links to it."""
    with (
        store(kind) as kept,
        serving("--workers", "2", spoiled=spoiled, **kept.settings) as running,
        auditing(running) as auditor,
    ):
        shop, other = running.credentials()["merchants"][:2]
        auditor.stock_up(shop["id"], products, VARIATIONS, DESCRIPTION)
        with Client(running.merchant, shop["access_token"]) as client, Client(running.merchant) as stranger:
            with Client(running.merchant, other["access_token"]) as foreigner:
                job_ids = {"foreign": start_download(foreigner)}
            job_ids |= {"good": start_download(client), "other": start_download(client)}
            job_ids["bulk"] = start_bulk(client, [{"sku": "sku-1", "inventory": 1}])
            auditor.await_end(job_ids.values())
            link = Link.of(link_of(client, job_ids["good"]) or "")
            contents = _file_of(kept.root(running), shop["id"], job_ids["good"])
            tried = Tried(stranger)
            lines = sum(1 for _ in csv.reader(io.StringIO(contents.decode(), newline=""))) - 1
            expected = auditor.value("select count(*) from variation where merchant_id = $1", shop["id"])
            if lines != expected or len(contents) < LARGE:
                tried.wrong.append(f"the file has {lines} of {expected} lines, {len(contents)} bytes")
            tried.serve(link.path(), contents)
            keys = LinkKeys([(running.folder / "link.key").read_bytes()])
            for path in forgeries(link, keys, other["id"], job_ids):
                tried.refuse(path)
            tried.serve(link.path(), contents)
            _try_states(running, auditor, tried, link, contents, shop["access_token"])
        assert running.stop() == 0
    return Finding(tried.wrong, told={"links": tried.count, "bytes": len(contents)})


def _file_of(root: Path, merchant_id: str, job_id: str) -> bytes:
    (file,) = (root / "downloads" / merchant_id / job_id).rglob("*.csv")
    return file.read_bytes()


def _try_states(running: Program, auditor: Auditor, tried: Tried, link: Link, contents: bytes, token: str) -> None:
    """The same link after what it belongs to has changed."""
    account, job_id = link.name.split("-")[:2]
    for state in ("cancelled", "failed"):
        auditor.run(f"update job set state = '{state}' where account_id = '{account}' and id = '{job_id}'")
        tried.refuse(link.path())
    auditor.run(f"update job set state = 'finished' where account_id = '{account}' and id = '{job_id}'")
    tried.serve(link.path(), contents)
    expires = datetime.fromtimestamp(int(link.expires), UTC)
    for moment, is_good in ((-1, True), (0, False), (1, False)):
        auditor.rows("update world_clock set fixed_at = $1", expires + timedelta(seconds=moment))
        if is_good:
            tried.serve(link.path(), contents)
        else:
            tried.refuse(link.path(), status=410, code=4010)
    auditor.run("update world_clock set fixed_at = null")
    tried.serve(link.path(), contents)
    running.told("token", "revoke", token)
    tried.refuse(link.path())


FIGURE = Figure("S11", "wrong-answers-to-links", run, {"smoke": 3_000, "full": 6_000}, mutant="any_signature")


# -- tests


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_a_link_serves_its_file_and_no_forgery_serves_any(kind: str) -> None:
    found = run(FIGURE.sizes["smoke"], 0, None, kind)
    print(found.told)
    assert found.wrong == []


if __name__ == "__main__":
    sys.exit(FIGURE.main(__doc__))

"""S07: nothing that a merchant names by URL makes the program call where only the program can call.

The corpus of `tests/egress` is named as main pictures, extra pictures, pictures of variations and videos, as it is
and behind redirects of every kind, to a whole program whose operator allows the port of the canaries on public
addresses. Canaries listen on every address of this machine. In the end none was called, and all that merchants were
told is that something is unreachable.

As a script it prints one line, and ends with 0 (held), 1 (did not) or 2 (could not be tried):

    python -m tests.whole.test_ssrf --size full --seed 7
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from tests.egress.test_guard import REDIRECTS, hostile
from tests.support.jobs import Auditor, Figure, Finding, auditing
from tests.support.outside import Canary, Host, canary, host
from tests.support.program import Client, serving, wait_until

SETTLE_SECONDS = 300.0
ANSWER_SECONDS = 1.0
WAITING = "select count(*) from picture where merchant_id = $1 and state = 'waiting'"
REASONS = """
    select distinct about->>'reason' as reason from notification
     where merchant_id = $1 and topic = 'picture_failed'
"""


@dataclass(frozen=True)
class Size:
    """How many kinds of redirects each URL is hidden behind."""

    redirects: int


def run(size: Size, seed: int, spoil: str | None) -> Finding:
    """Name everything, wait until all of it is settled, and ask the canaries."""
    source = random.Random(seed)
    with canary() as bird, host() as outside:
        allow = json.dumps([f"127.0.0.1:{outside.port}", f"public:{bird.port}"])
        with serving(spoiled=spoil, egress_allow=allow) as running, auditing(running) as auditor:
            member = running.credentials()["merchants"][0]
            with Client(running.merchant, member["access_token"]) as client:
                calls = list(_calls(bird, outside, source, size.redirects))
                took, refused = _name_all(client, calls)
            # Whoever was called is one too many; without the guard there are fetches that never end.
            wait_until(
                lambda: bool(bird.met or not auditor.value(WAITING, member["id"])), SETTLE_SECONDS, "the last fetch"
            )
            wrong = [f"{address} was called" for address in bird.take()]
            wrong += _judge_told(auditor, member["id"])
            if took > ANSWER_SECONDS:
                wrong.append(f"an answer took {took:.1f} s")
            behind = sum(count for target, count in outside.asked.items() if target.startswith("/redirect"))
            tried = auditor.value("select count(*) from picture where merchant_id = $1", member["id"])
            assert running.stop() == 0
    told = {"named": len(calls), "refused-at-once": refused, "fetches": tried, "redirected": behind}
    return Finding(wrong, behind > 100 * size.redirects, told)


def _calls(
    bird: Canary, outside: Host, source: random.Random, redirects: int
) -> Iterator[tuple[str, dict[str, str]]]:
    """Calls that name each URL in each place where one can be named; every one asks for something of its own."""
    for number, url in enumerate(hostile(bird.port)):
        if ".example" in url or "internal" in url or len(url) > 500:
            continue  # the sandbox's own hosts, and names that only a network could tell
        mark = ("&" if "?" in url else "?") + f"n={number}"
        target = quote(url + mark, safe="", errors="replace")
        chosen = source.sample(REDIRECTS, redirects)
        named = [url + mark, *(outside.url(f"/redirect?status={status}&to={target}") for status in chosen)]
        for at in named:
            more = "&" if "?" in at else "?"
            yield "product/update", {"main_image": f"{at}{more}place=main"}
            yield "product/update", {"extra_images": f"{at}{more}place=extra"}
            yield "product/update", {"demo_video_asset_url": f"{at}{more}place=video"}
            yield "variant/update", {"main_image": f"{at}{more}place=own", "update_product_image": "false"}


def _name_all(client: Client, calls: list[tuple[str, dict[str, str]]]) -> tuple[float, int]:
    """The longest time that an answer took, and how many calls were refused."""
    (product,) = client.get("/api/v2/product/multi-get?limit=1").data
    sku = product["Product"]["variants"][0]["Variant"]["sku"]
    longest, refused = 0.0, 0
    for path, named in calls:
        which = {"sku": sku} if path.startswith("variant") else {"id": product["Product"]["id"]}
        began = time.monotonic()
        reply = client.post(f"/api/v2/{path}", which | named)
        longest = max(longest, time.monotonic() - began)
        assert reply.status in (200, 400), reply.body
        refused += reply.status == 400
    return longest, refused


def _judge_told(auditor: Auditor, merchant_id: str) -> Iterator[str]:
    """Whatever it was, it is unreachable and no more is told; nothing of it is kept."""
    for row in auditor.rows(REASONS, merchant_id):
        if row["reason"] != "unreachable":
            yield f"a merchant was told {row['reason']}"
    kept = auditor.value(
        "select count(*) from picture where merchant_id = $1 and state = 'stored' and source !~ '[.]example/'",
        merchant_id,
    )
    if kept:
        yield f"{kept} were kept"


S07: Figure[Size] = Figure(
    "S07", "canaries-called", run, {"smoke": Size(1), "full": Size(len(REDIRECTS))}, mutant="no_guard"
)


def test_no_canary_is_called() -> None:
    seed = random.randrange(1 << 16)
    found = run(Size(1), seed, None)
    print(seed, found.told)
    assert found.wrong == []
    assert found.tried


if __name__ == "__main__":
    sys.exit(S07.main(__doc__))

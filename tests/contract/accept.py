"""`python -m tests.contract.accept`: rewrites the answers of all transcripts with what comes back now.

What it never touches is the list of endpoints that have no transcript yet: that one may only shrink, by hand.
"""

from __future__ import annotations

import asyncio

from tests.contract.transcripts import files, load, play
from tests.support.database import once, running_server
from tests.support.market import build_world, open_market
from tests.support.transcripts import render


def accept() -> int:
    """Rewrite what changed; gives how many files that were."""
    changed = 0
    with running_server() as server, asyncio.Runner() as loop:
        world = once(lambda: build_world(server))
        for file in files():
            with open_market(server, world, loop) as market:
                text = render([play(market, case) for case in load(file)])
            if text != file.read_text(encoding="utf-8"):
                file.write_text(text, encoding="utf-8")
                print(f"rewrote {file.name}")
                changed += 1
        loop.run(server.close_spare())
    return changed


if __name__ == "__main__":
    print(f"{accept()} transcripts changed")

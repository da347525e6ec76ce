"""What the request log costs: `python -m bench.request_log [--quick]`, about three minutes.

The same program twice, once with the log and once without, asked in turn with the calls of `make bench`. The log
keeps every call here, however many there are of a day. Looked at are requests per second with the log to those
without.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from contextlib import ExitStack
from typing import Final

from bench import load
from bench.installation import installed
from bench.load import Target
from bench.rounds import CONNECTIONS, Case, cases

FLOOR: Final = 0.95
VARIATIONS: Final = 20_000
EVERY_CALL: Final = "1000000000"
NONE: Final = "0"


def measure(rounds: int, seconds: int) -> int:
    """Compare and tell, case by case; gives how many miss the floor."""
    print(f"Load by {load.generator()}; {rounds} rounds of {seconds} s.", flush=True)
    with ExitStack() as stack:
        programs = [
            stack.enter_context(installed(VARIATIONS, request_log_calls=most)) for most in (EVERY_CALL, NONE)
        ]
        hosts = [program.host for program in programs]
        told = [cases(program.catalogue) for program in programs]
        return sum(_compare(hosts, pair, rounds, seconds) for pair in zip(*told, strict=True))


def _compare(hosts: list[str], pair: tuple[Case, ...], rounds: int, seconds: int) -> bool:
    """Whether a case misses the floor."""
    targets = [Target(host, case.shop.token, case.program) for host, case in zip(hosts, pair, strict=True)]
    for target in targets:
        load.run(target, 1, CONNECTIONS)
    rates: list[list[float]] = [[], []]
    for turn in range(rounds):
        for which in (0, 1) if turn % 2 == 0 else (1, 0):
            rates[which].append(load.run(targets[which], seconds * pair[0].stretch, CONNECTIONS).rate)
    ratios = [kept / plain for kept, plain in zip(*rates, strict=True)]
    ratio = statistics.median(ratios)
    misses: bool = ratio < FLOOR
    kept, plain = (statistics.median(of) for of in rates)
    print(
        f"{pair[0].name:<46}{kept:>9,.0f}{plain:>9,.0f}{ratio:>7.2f}  [{min(ratios):.2f}-{max(ratios):.2f}]"
        f"{f'  below {FLOOR}' if misses else ''}",
        flush=True,
    )
    return misses


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.request_log", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a first look in about a minute")
    sys.exit(1 if measure(*((3, 1) if parser.parse_args().quick else (9, 2))) else 0)

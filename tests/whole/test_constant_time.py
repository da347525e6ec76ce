"""S17: nothing compares a secret in a time that tells how much of it was right.

    python -m tests.whole.test_constant_time --size full --seed 7

The source is searched for `==`, `!=` and `in` on whatever is named like a secret; the few places where that is
right are listed with their reasons. Then the comparison that everything uses is timed: a guess of which nothing is
right against one of which all but the last byte is, in turns, by Welch's t, which has to stay below 4.5. The time
decides in the full size only: run it where nothing else does.

The mutant compares as Python does, byte by byte.
"""

from __future__ import annotations

import ast
import math
import random
import re
import secrets
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.jobs import Figure, Finding
from tradepost.domain.access import same

SOURCE: Final = Path(__file__).parents[2] / "src" / "tradepost"
MOST_T: Final = 4.5
_NAMED = re.compile(
    r"(?:^|_)(?:secret|secrets|token|tokens|hash|seal|seals|sealed|signature|password|mac|digest|verifier|challenge|"
    r"fingerprint|nonce|recovery|otp)(?:$|_)"
)
RIGHT: Final = {
    "domain/audit/operations.py": "links of the audit log are no secrets; who reads them has them all",
    "surfaces/pages/developer/showing.py": "names of parameters, and what stands in a kept call for one",
    "surfaces/request_log/redaction.py": "names of parameters",
    "wire/describe/curl.py": "the name of a parameter, in an example",
    "wire/gate.py": "the name of a parameter",
    "wire/paging.py": "the name of a parameter",
    "wire/shown.py": "two answers to what the same caller sent, one of them with his own",
    "worker/letters/__init__.py": "the place in a text where a secret goes",
}
"""Where such a comparison is right, and why."""


def suspicious(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Comparisons of what is named like a secret, but for those with None and with what is written out."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        if not any(isinstance(kind, ast.Eq | ast.NotEq | ast.In | ast.NotIn) for kind in node.ops):
            continue
        if any(isinstance(side, ast.Constant | ast.List | ast.Tuple | ast.Set) for side in sides):
            continue
        if any(_NAMED.search(_name(side)) for side in sides):
            yield node.lineno, ast.unparse(node)


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.lower()
        case ast.Call(func=called):
            return _name(called)
        case ast.Subscript(slice=ast.Constant(value=str(key))):
            return key.lower()
    return ""


def _scan() -> Iterator[str]:
    for file in sorted(SOURCE.rglob("*.py")):
        name = str(file.relative_to(SOURCE))
        for line, text in suspicious(ast.parse(file.read_text(encoding="utf-8"))):
            if name not in RIGHT:
                yield f"{name}:{line}: {text}"


def by_bytes(told: bytes, kept: bytes) -> bool:
    """How it must not be done: done with the first byte that differs."""
    return len(told) == len(kept) and all(a == b for a, b in zip(told, kept, strict=True))


def welch(one: list[int], other: list[int]) -> float:
    """Welch's t of two samples, after the slowest twentieth of both is left out: that is the machine's."""
    cut = sorted([*one, *other])[int(0.95 * (len(one) + len(other)))]
    left, right = [x for x in one if x <= cut], [x for x in other if x <= cut]
    spread = statistics.variance(left) / len(left) + statistics.variance(right) / len(right)
    return abs(statistics.mean(left) - statistics.mean(right)) / math.sqrt(spread) if spread else 0.0


def timed(compare: Callable[[bytes, bytes], bool], tries: int, source: random.Random) -> float:
    """Welch's t of so many comparisons with nothing right, and as many with all but the last byte."""
    kept = secrets.token_bytes(32)
    nothing, nearly = bytes(b ^ 0xFF for b in kept), kept[:-1] + bytes([kept[-1] ^ 0xFF])
    times: dict[bool, list[int]] = {True: [], False: []}
    for _ in range(tries):
        is_near = source.random() < 0.5
        guess = nearly if is_near else nothing
        began = time.perf_counter_ns()
        for _ in range(20):
            compare(guess, kept)
        times[is_near].append(time.perf_counter_ns() - began)
    return welch(times[True], times[False])


def run(tries: int, seed: int, spoiled: str | None) -> Finding:
    """The scan, and so many tries."""
    wrong = [] if spoiled else list(_scan())
    found = timed(by_bytes if spoiled else same, tries, random.Random(seed))
    if found >= MOST_T and (spoiled or tries >= 20_000):
        wrong.append(f"t = {found:.1f}")
    return Finding(wrong, True, {"n": tries, "t": f"{found:.2f}", "listed": len(RIGHT)})


FIGURE = Figure("S17", "telling", run, {"smoke": 2_000, "full": 20_000}, mutant="by_bytes")


# -- tests


def test_no_secret_is_compared_so_that_time_tells() -> None:
    assert list(_scan()) == []


def test_what_is_listed_is_still_there() -> None:
    for name in RIGHT:
        assert list(suspicious(ast.parse((SOURCE / name).read_text(encoding="utf-8")))), name


@pytest.mark.parametrize(
    ("line", "is_told"),
    [
        ("told == token_hash", True),
        ("row['secret_hash'] != fingerprint(told)", True),
        ("seal in seals", True),
        ("self.signature == told", True),
        ("token == ''", False),
        ("token is None", False),
        ("tokenizer == other", False),
        ("same(told, secret)", False),
    ],
)
def test_what_the_scan_finds(line: str, is_told: bool) -> None:
    assert bool(list(suspicious(ast.parse(line)))) is is_told


def test_a_comparison_byte_by_byte_is_told_by_its_time() -> None:
    assert run(2_000, 1, "by_bytes").wrong


if __name__ == "__main__":
    sys.exit(FIGURE.main(__doc__))

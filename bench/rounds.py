"""What is compared, and how: rounds of A B A B, of which the median ratio counts."""

from __future__ import annotations

import json
import random
import statistics
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench import load
from bench.bare import LIST_LIMIT
from bench.catalogue import NARROW, WIDE, Catalogue, Shop
from bench.installation import Installation
from bench.load import Call, Sample, Target
from tradepost.domain.reference import COUNTRIES

CONNECTIONS = 16
SHIPPED = 50
# Pages are taken from the beginning of the list, where callers are; a deep one costs its offset.
MOST_START = 1000


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure: the same keys as calls to the program and to the bare limit."""

    key: str
    name: str
    shop: Shop
    program: Sequence[Call]
    bare: Sequence[Call]
    stretch: int = 1
    """How much longer its runs are: few answers in a run say little about the slowest of them."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The runs of one case, round by round, by who was measured."""

    case: str
    name: str
    samples: Mapping[str, Sequence[Sample]]

    def median(self, who: str, of: Callable[[Sample], float]) -> float:
        """The median of a figure over the rounds."""
        return statistics.median(of(sample) for sample in self.samples[who])

    def ratios(self, to: str) -> list[float]:
        """The program's rate to another's, round by round."""
        pairs = zip(self.samples["program"], self.samples[to], strict=True)
        return [program.rate / other.rate for program, other in pairs]


FIRST_PAGE = Call("GET", f"/api/v2/product/multi-get?limit={LIST_LIMIT}")


def cases(catalogue: Catalogue) -> list[Case]:
    """The cases of a catalogue."""
    source = random.Random(1)
    far = catalogue.far
    several = [",".join(source.sample(far.product_ids, SHIPPED)) for _ in range(500)]
    wide, narrow = catalogue.wide, catalogue.narrow
    last_start = max(0, min(MOST_START, narrow.products) - LIST_LIMIT)
    starts = [source.randint(0, last_start) for _ in range(1000)]
    stocks = [f"sku={sku}&inventory={source.randrange(500)}" for sku in wide.skus]
    return [
        Case(
            "product",
            f"one product with {WIDE} variations",
            wide,
            [Call("GET", f"/api/v2/product?id={key}") for key in wide.product_ids],
            [Call("GET", f"/product?id={key}") for key in wide.product_ids],
        ),
        Case(
            "list",
            f"{LIST_LIMIT} products with {NARROW} variations each",
            narrow,
            [Call("GET", f"/api/v2/product/multi-get?start={start}&limit={LIST_LIMIT}") for start in starts],
            [Call("GET", f"/list?start={start}") for start in starts],
            stretch=2,
        ),
        Case(
            "shipping",
            f"shipping of {SHIPPED} products to all countries",
            far,
            [Call("GET", f"/api/v2/product/get-products-shipping?ids={ids}") for ids in several],
            [Call("GET", f"/shipping?ids={ids}") for ids in several],
            stretch=3,
        ),
        Case(
            "stock",
            "one stock level changed",
            wide,
            [Call("POST", "/api/v2/variant/update-inventory", stock) for stock in stocks],
            [Call("POST", f"/stock?{stock}") for stock in stocks],
        ),
    ]


def check(installation: Installation) -> None:
    """Make sure that the program answers what is about to be measured; raises AssertionError."""
    product, listing, prices, stock = cases(installation.catalogue)
    found = _ask(installation, product)["Product"]
    assert len(found["variants"]) == WIDE
    listed = _ask(installation, listing)
    assert [len(item["Product"]["variants"]) for item in listed] == [NARROW] * LIST_LIMIT
    shipped = [item["ProductCountryAllShipping"]["DataV2"] for item in _ask(installation, prices)]
    counts = [len(data["ProductCountryWarehouseAllShipping"]["countries"]) for data in shipped]
    assert counts == [len(COUNTRIES)] * SHIPPED
    assert _ask(installation, stock) == {}


def compare(installation: Installation, bare_host: str, case: Case, rounds: int, seconds: int) -> Compared:
    """The program, the bare limit, the same behind the gate's statement, and with answers of one size, in turn."""
    gated = [Call(call.method, f"/gated{call.target}") for call in case.bare]
    size = len(_answer(installation, case))
    sized = [Call(call.method, f"/sized/{size}{call.target}") for call in case.bare]
    targets = {
        "program": Target(installation.host, case.shop.token, case.program),
        "bare": Target(bare_host, case.shop.token, case.bare),
        "gated": Target(bare_host, case.shop.token, gated),
        "sized": Target(bare_host, case.shop.token, sized),
    }
    for target in targets.values():
        load.run(target, 1, CONNECTIONS)  # fills pools, statement caches and buffers; not counted
    samples: dict[str, list[Sample]] = {who: [] for who in targets}
    for turn in range(rounds):
        order = list(targets) if turn % 2 == 0 else list(reversed(targets))  # whoever is first has no advantage
        for who in order:
            samples[who].append(load.run(targets[who], seconds * case.stretch, CONNECTIONS))
    return Compared(case.key, case.name, samples)


def milliseconds_per_read(
    installations: Sequence[Installation], key: str, rounds: int, seconds: int
) -> list[list[float]]:
    """What one caller waits for a read, by installation and round: the program and its database together."""
    targets = []
    for installation in installations:
        case = next(case for case in cases(installation.catalogue) if case.key == key)
        # The same page in each: at 1,000 variations there is just one, and a page costs what is on it.
        calls = [FIRST_PAGE] if key == "list" else case.program
        targets.append(Target(installation.host, case.shop.token, calls))
    for target in targets:
        load.run(target, 1, 1)
    waited: list[list[float]] = [[] for _ in targets]
    for _ in range(rounds):
        for times, target in zip(waited, targets, strict=True):
            times.append(1000 / load.run(target, seconds, 1).rate)
    return waited


def _ask(installation: Installation, case: Case) -> Any:
    answer = json.loads(_answer(installation, case))
    assert answer["code"] == 0, answer
    return answer["data"]


def _answer(installation: Installation, case: Case) -> bytes:
    call = case.program[0]
    request = urllib.request.Request(
        f"http://{installation.host}{call.target}",
        data=call.body.encode() or None,
        headers={"Authorization": f"Bearer {case.shop.token}"},
        method=call.method,
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        answer: bytes = response.read()
    return answer

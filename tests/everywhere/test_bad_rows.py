"""What a row of a bulk update may say: `bad_rows.tsv`, a line for each row with what becomes of it.

Its columns, with tabs between:

    row     JSON, as it stands in `updates`
    code    the error code in the list of failures, or 0 for a row that is applied
    sku     the SKU in that list
    says    a part of the sentence there

The rule: what is wrong with one row fails that row and nothing else. What is wrong with `updates` as a whole
refuses the call; those lines are in `bad_input/jobs.tsv`. A new kind of bad row needs a line, not a test.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.everywhere.test_bad_input import assert_short_echo
from tests.support.calls import good_call
from tests.support.market import Market
from tradepost.domain.bulk_updates import PACK_ROWS
from tradepost.surfaces.merchant_v2.chapters import api

FILE: Final = Path(__file__).with_name("bad_rows.tsv")
BULK: Final = "/api/v2/variant/bulk-sku-update"
JOB: Final = "/api/v2/variant/get-bulk-update-job"
LEAST_ROWS: Final = 120


@dataclass(frozen=True)
class Line:
    """One line of the file."""

    number: int
    row: str
    code: int
    sku: str
    says: str

    def __str__(self) -> str:
        return f"{self.number} {self.row[:40]}".encode("ascii", "backslashreplace").decode()


def read_lines() -> list[Line]:
    """The lines of the file."""
    found = []
    for number, text in enumerate(FILE.read_text(encoding="utf-8").split("\n"), start=1):
        if text and not text.startswith("#"):
            row, code, sku, says = text.split("\t")
            found.append(Line(number, row, int(code), sku, says))
    return found


LINES: Final = read_lines()


def start(market: Market, rows: Sequence[str]) -> str:
    """A bulk update of rows as they are written; gives its job."""
    return str(market.post(BULK, updates=f"[{', '.join(rows)}]").data["job_id"])


def status_of(market: Market, job_id: str) -> Any:
    """What the status says of the job."""
    return market.get(f"{JOB}-status", job_id=job_id).data


def errors_of(market: Market, job_id: str) -> list[Any]:
    """The list of failures, page by page."""
    found: list[Any] = []
    while page := market.get(f"{JOB}-failures", job_id=job_id, start=len(found), limit=100).data["errors"]:
        found += page
    return found


def counts(status: Any) -> tuple[int, int, int]:
    """How many rows were looked at, applied and not applied."""
    return status["processed_count"], status["success_count"], status["failure_count"]


def assert_told(line: Line, error: Any) -> None:
    """The row is told as its line says."""
    assert (error["error_code"], error["sku"]) == (line.code, line.sku), error
    assert_short_echo(error["error"], api)


@pytest.mark.parametrize("line", LINES, ids=str)
def test_row_by_itself(market: Market, line: Line) -> None:
    before = market.sql("select string_agg(s::text, '' order by variation_id, warehouse_id) from stock s")
    job_id = start(market, [line.row])
    market.work()
    status, errors = status_of(market, job_id), errors_of(market, job_id)
    assert (status["state"], counts(status)) == ("FINISHED", (1, not line.code, bool(line.code)))
    if not line.code:
        assert errors == []
        assert market.get(f"{JOB}-successes", job_id=job_id).data == {"successes": ["ring-green"]}
        return
    (error,) = errors
    assert_told(line, error)
    assert line.says in error["error"]
    after = market.sql("select string_agg(s::text, '' order by variation_id, warehouse_id) from stock s")
    assert after == before


def test_all_rows_together(market: Market) -> None:
    """None keeps another from being applied, and each is told once, in its place."""
    job_id = start(market, [line.row for line in LINES])
    market.work()
    wrong = [line for line in LINES if line.code]
    status, errors = status_of(market, job_id), errors_of(market, job_id)
    assert counts(status) == (len(LINES), len(LINES) - len(wrong), len(wrong))
    assert len(errors) == len(wrong)
    for line, error in zip(wrong, errors, strict=True):
        assert_told(line, error)


def test_anothers_sku_is_like_one_that_there_is_not(market: Market) -> None:
    endpoint = next(endpoint for endpoint in api.endpoints if endpoint.path == "/api/v2/product/add")
    lantern = {"sku": "lantern-of-lan", "parent_sku": "lantern"}
    assert market.post(endpoint.path, "cny", **good_call("merchant", endpoint, "cny") | lantern).status == 200
    rows = [json.dumps({"sku": sku, "inventory": 1}) for sku in ("lantern-of-lan", "lantern-of-who")]
    job_id = start(market, rows)
    market.work()
    told = [
        {**error, "sku": "", "error": error["error"].replace(error["sku"], "…")}
        for error in errors_of(market, job_id)
    ]
    assert len(told) == 2
    assert told[0] == told[1]
    found = market.get("/api/v2/variant", "cny", sku="lantern-of-lan").data["Variant"]["inventory"]
    assert found == good_call("merchant", endpoint, "cny")["inventory"]


@pytest.mark.parametrize("packs", [0, 1, None], ids=["before it begins", "half-way", "after its end"])
def test_cancelled_at_any_moment(market: Market, packs: int | None) -> None:
    """Counts, lists and data agree, and stay as they are: nothing is done after the answer."""
    rows = [json.dumps({"sku": f"no-{number}", "inventory": 1}) for number in range(PACK_ROWS)]
    job_id = start(market, [json.dumps({"sku": "ring-green", "inventory": 5}), *rows])
    market.work(steps=packs)
    message = market.post("/api/v2/variant/cancel-bulk-update-job", job_id=job_id).data["message"]
    assert message == ("Job has already finished." if packs is None else "Job cancelled successfully.")
    market.work()
    status = status_of(market, job_id)
    assert status["state"] == ("FINISHED" if packs is None else "CANCELLED")
    processed = PACK_ROWS + 1 if packs is None else packs * PACK_ROWS
    applied = min(processed, 1)
    assert counts(status) == (processed, applied, processed - applied)
    assert len(errors_of(market, job_id)) == processed - applied
    assert market.get(f"{JOB}-successes", job_id=job_id).data["successes"] == ["ring-green"] * applied
    found = market.get("/api/v2/variant", sku="ring-green").data["Variant"]["inventory"]
    assert found == ("5" if applied else "11")


def test_file_is_large_enough_and_says_nothing_twice() -> None:
    assert len(LINES) >= LEAST_ROWS
    assert len({line.row for line in LINES}) == len(LINES)

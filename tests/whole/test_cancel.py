"""A bulk update that is cancelled at a random moment: counts, lists and goods agree, and nothing comes afterwards.

Each round sets every SKU of a shop to a new value, with some rows that cannot be applied, and cancels somewhere on
the way. As a script it prints one line, and ends with 0 (held), 1 (did not) or 2 (could not be tried):

    python -m tests.whole.test_cancel --size full --seed 7
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.jobs import Auditor, Crew, Figure, Finding, ask, auditing, result_list, start_bulk
from tests.support.program import Client, serving

VARIATIONS = 5
PRODUCTS = 2_400
PACK_SECONDS = 0.05
LONGEST = 0.6
LIMITS = json.dumps({"merchant/default": 10_000_000})
NOW, BEFORE, TOO_LATE = (
    "Job cancelled successfully.", "Job has already been cancelled.", "Job has already finished."
)  # fmt: skip


class Round:
    """One update and its cancellation."""

    def __init__(
        self, client: Client, auditor: Auditor, merchant_id: str, value: int, source: random.Random
    ) -> None:
        self._client = client
        self._auditor = auditor
        self._merchant_id = merchant_id
        self._value = value
        numbers = list(range(1, PRODUCTS * VARIATIONS + 1))
        source.shuffle(numbers)
        self._rows = [{"sku": f"sku-{number}", "inventory": value} for number in numbers]
        for at in source.sample(range(len(numbers)), len(numbers) // 100):
            self._rows[at]["inventory"] = -1
        self._pause = source.uniform(0, LONGEST)
        self.job_id = ""
        self.cut = False
        """Whether it was cancelled after some packs and before the last."""

    def run(self) -> list[str]:
        """Start it, cancel it, look; what is wrong, one line each."""
        before = self._stock()
        self.job_id = start_bulk(self._client, self._rows)
        time.sleep(self._pause)  # the moment of cancelling must be anybody's guess
        message = ask(self._client, "variant/cancel-bulk-update-job", job_id=self.job_id)["message"]
        after = self._stock()
        status = ask(self._client, "variant/get-bulk-update-job-status", job_id=self.job_id)
        successes = result_list(self._client, "successes", self.job_id)
        failures = [failed["sku"] for failed in result_list(self._client, "failures", self.job_id)]
        again = ask(self._client, "variant/cancel-bulk-update-job", job_id=self.job_id)["message"]
        self.cut = message == NOW and bool(successes) and status["processed_count"] < len(self._rows)
        wrong = self._judge_status(status, message, again, len(successes), len(failures))
        wrong += self._judge_lists(successes, failures, status["processed_count"])
        expected = {**before, **dict.fromkeys(successes, self._value)}
        wrong += [
            f"{sku}: {stock} and not {expected[sku]}" for sku, stock in after.items() if stock != expected[sku]
        ]
        if self._stock() != after:
            wrong.append("something changed after the answer")
        return [f"{self.job_id} {message} {line}" for line in wrong]

    def _judge_status(
        self, status: Mapping[str, Any], message: str, again: str, succeeded: int, failed: int
    ) -> list[str]:
        wrong = []
        expected = {NOW: (5, "CANCELLED", BEFORE), TOO_LATE: (4, "FINISHED", TOO_LATE)}.get(message)
        if (status["status"], status["state"], again) != expected:
            wrong.append(f"it is {status['state']}, and then {again}")
        counts = tuple(status[f"{which}_count"] for which in ("processed", "success", "failure"))
        if counts != (succeeded + failed, succeeded, failed):
            wrong.append(f"{counts} is not what the lists have: {succeeded} and {failed}")
        if message == TOO_LATE and counts[0] != len(self._rows):
            wrong.append(f"it finished with {counts[0]} of {len(self._rows)} rows")
        return wrong

    def _judge_lists(self, successes: Sequence[str], failures: Sequence[str], processed: int) -> list[str]:
        done = self._rows[:processed]
        good = [row["sku"] for row in done if row["inventory"] == self._value]
        bad = [row["sku"] for row in done if row["inventory"] != self._value]
        return [
            f"the list of {which} is not that of the first {processed} rows"
            for which, found, expected in (("successes", successes, good), ("failures", failures, bad))
            if found != expected
        ]

    def _stock(self) -> dict[str, int]:
        return dict(
            tuple(row)
            for row in self._auditor.rows(
                """
                select v.sku, s.inventory from variation v
                  join stock s
                    on s.merchant_id = v.merchant_id and s.product_id = v.product_id and s.variation_id = v.id
                 where v.merchant_id = $1
                """,
                self._merchant_id,
            )
        )


def run(rounds: int, seed: int, spoiled: str | None) -> Finding:
    """Cancel so many updates of one shop, one after the other."""
    source = random.Random(seed)
    wrong: list[str] = []
    played: list[Round] = []
    with serving("--workers", "2", spoiled=spoiled, rate_limits=LIMITS) as running, auditing(running) as auditor:
        member = running.credentials()["merchants"][0]
        auditor.stock_up(member["id"], PRODUCTS, VARIATIONS)
        auditor.watch()
        auditor.slow_packs(PACK_SECONDS)
        Crew(running, auditor, source)
        with Client(running.merchant, member["access_token"]) as client:
            for number in range(rounds):
                played.append(Round(client, auditor, member["id"], number + 1, source))
                wrong += played[-1].run()
        wrong += applied_after_cancelling(auditor)
        states = Counter(row["state"] for row in auditor.rows("select state from job where kind = 'bulk_update'"))
        assert running.stop() == 0
    cut = sum(one.cut for one in played)
    return Finding(wrong, cut > 0, {"rounds": rounds, **states, "cancelled-half-way": cut})


def applied_after_cancelling(auditor: Auditor) -> list[str]:
    """Updates that wrote something after they were cancelled, by the order in which the auditor saw it."""
    found = auditor.rows(
        """
        select j.id, count(*) from moved m
          join job j on j.id = m.job_id
          join applied a on a.merchant_id = j.account_id and a.rev = (j.arguments ->> 'revision')::bigint
         where m.state = 'cancelled' and a.number > m.number
         group by j.id
        """
    )
    return [f"{job_id}: {count} rows were applied after it was cancelled" for job_id, count in found]


FIGURE = Figure("cancel", "disagreements", run, {"smoke": 10, "full": 50}, mutant="cancel_ignored")


# -- tests


def test_counts_lists_and_goods_agree_whenever_it_is_cancelled() -> None:
    FIGURE.check()


if __name__ == "__main__":
    sys.exit(FIGURE.main(__doc__))

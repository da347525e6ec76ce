"""S15: no secret in any log, after a life full of them.

    python -m tests.whole.test_secrets_in_logs --size full --seed 7

A program with two server processes and a PostgreSQL that logs every statement. People sign up, lose passwords
and use second factors; apps are let in, exchange, refresh and subscribe; secrets come where they do not belong;
processes and backends are killed, and the program meets faults of its own with secrets in hand. Then the logs
of the server, the worker and the database, the audit log, the mail and the events are searched for all that was
used: plain, URL-encoded, in base64 and as JSON has it. Fewer than 200 secrets show nothing. Where the machine
has nginx, everybody comes through it, set up as docs/operating.md says, and its logs are searched, too; `proxy`
tells how many lines they had.

The mutant logs the forms that pages are sent; the tests below try one that logs the words of its faults.
"""

from __future__ import annotations

import random
import sys
from typing import Final

import pytest

from tests.support.guest import PROXIES
from tests.support.jobs import Auditor, Figure, Finding, auditing
from tests.support.program import Program, serving
from tests.support.proxy import proxied
from tests.support.secret_life import LIMITS, Life

LEAST: Final = 200
_TALKATIVE: Final = (
    "alter system set log_statement = 'all'",
    "alter system set log_min_duration_statement = 0",
    "select pg_reload_conf()",
)
_TABLES: Final = {
    "audit log": "select string_agg(r::text, E'\\n') from tradepost.audit_record r",
    "events": "select string_agg(e::text, E'\\n') from tradepost.event e",
    "mail": "select string_agg(m::text, E'\\n') from tradepost.mail m",
    "operators' acts": "select string_agg(o::text, E'\\n') from tradepost.operator_act o",
}


def _logs(running: Program, auditor: Auditor) -> dict[str, bytes]:
    """Everything that was logged, by what it is."""
    found = {file.name: file.read_bytes() for file in running.folder.glob("*.err")}
    for file in (running.folder / "postgres").rglob("*log*"):
        if file.is_file() and "pg_wal" not in file.parts:
            found[file.name] = file.read_bytes()
    found |= {name: (auditor.value(query) or "").encode() for name, query in _TABLES.items()}
    return found


def run(size: int, seed: int, spoiled: str | None) -> Finding:
    """So many rounds of everything."""
    settings = {"trusted_proxies": PROXIES, "rate_limits": LIMITS, "log_level": "debug"}
    with (
        serving("--workers", "2", spoiled=spoiled or "breaks_within", **settings) as running,
        auditing(running) as auditor,
    ):
        for statement in _TALKATIVE:
            auditor.run(statement)
        life = Life(running, auditor, random.Random(seed))
        with proxied(running) as proxy:
            life.run(size)
        logs = _logs(running, auditor) | {name: file.read_bytes() for name, file in proxy.items()}
        assert running.stop() == 0
    wrong = []
    for name, text in logs.items():
        wrong += [f"{kind} {begin}… in {name}" for kind, begin in life.marked.found_in(text)]
    faults = sum(text.count(b'"event": "unexpected"') for text in logs.values())
    if spoiled is None and faults < 3 * size - life.kills:
        wrong.append(f"only {faults} faults were met")
    lines = {name: text.count(b"\n") for name, text in logs.items()}
    statements = max(lines.values())
    told = {"n": life.marked.count, "kinds": len(life.marked.kinds), "logs": len(logs), "lines": statements}
    told |= {"kills": life.kills, "faults": faults, "proxy": lines.get("tradepost.log", 0)}
    return Finding(wrong, life.marked.count >= LEAST and statements > 1_000, told)


FIGURE = Figure("S15", "found", run, {"smoke": 7, "full": 200}, mutant="forms_logged")


# -- tests


def test_no_secret_is_in_any_log() -> None:
    found = run(7, random.randrange(1 << 16), None)
    print(found.told)
    assert found.wrong == []
    assert found.tried


@pytest.mark.parametrize("spoiled", ["forms_logged", "words_logged"])
def test_a_secret_that_is_logged_is_noticed(spoiled: str) -> None:
    assert run(1, 1, spoiled).wrong


if __name__ == "__main__":
    sys.exit(FIGURE.main(__doc__))

"""S18: whoever steals the database and the files has no secret that is good for anything.

    python -m tests.whole.test_secrets_at_rest --size full --seed 7

After a life full of secrets every table is dumped as text, and every byte of the data folder is read, the files of
the database and its log of changes included: nothing that was used may be there. What is meant to be there are the
sandbox's own credentials and the keys beside them, which production has elsewhere. Passwords are argon2id.

The mutant seals secrets by leaving them as they are.
"""

from __future__ import annotations

import random
import sys
from typing import Final

from tests.support.guest import PROXIES
from tests.support.jobs import Figure, Finding, auditing
from tests.support.program import serving
from tests.support.secret_life import LIMITS, Life

LEAST: Final = 200
_MEANT: Final = ("sandbox.json", ".key", ".out")
_TABLES: Final = "select quote_ident(tablename) from pg_tables where schemaname = 'tradepost'"
_PASSWORDS: Final = """
    select count(*) from (select password_hash from tradepost.merchant_user
                          union all select password_hash from tradepost.shipper
                          union all select password_hash from tradepost.sign_up) p
     where password_hash not like '$argon2id$v=19$m=19456,t=2,p=1$%'
"""


def run(size: int, seed: int, spoiled: str | None) -> Finding:
    """So many rounds of everything."""
    settings = {"trusted_proxies": PROXIES, "rate_limits": LIMITS}
    with (
        serving("--workers", "2", spoiled=spoiled, **settings) as running,
        auditing(running) as auditor,
    ):
        life = Life(running, auditor, random.Random(seed))
        life.run(size)
        tables = [row[0] for row in auditor.rows(_TABLES)]
        whole = "select string_agg(t::text, E'\\n') from tradepost.{} t"
        places = {f"table {table}": (auditor.value(whole.format(table)) or "").encode() for table in tables}
        plain = auditor.value(_PASSWORDS)
        auditor.run("checkpoint")
        for file in running.folder.rglob("*"):
            if file.is_file() and not file.name.endswith(_MEANT):
                places[str(file.relative_to(running.folder))] = file.read_bytes()
        assert running.stop() == 0
    wrong = []
    for place, text in places.items():
        wrong += [f"{kind} {begin}… in {place}" for kind, begin in life.marked.found_in(text)]
    if plain:
        wrong.append(f"{plain} passwords are not argon2id")
    size_told = sum(map(len, places.values()))
    told = {"n": life.marked.count, "tables": len(tables), "places": len(places), "bytes": size_told}
    return Finding(wrong, life.marked.count >= LEAST and len(tables) > 30, told)


FIGURE = Figure("S18", "found", run, {"smoke": 7, "full": 60}, mutant="seals_open")


# -- tests


def test_no_secret_is_kept() -> None:
    found = run(7, random.randrange(1 << 16), None)
    print(found.told)
    assert found.wrong == []
    assert found.tried


def test_a_secret_that_is_kept_is_noticed() -> None:
    assert run(1, 1, "seals_open").wrong


if __name__ == "__main__":
    sys.exit(FIGURE.main(__doc__))

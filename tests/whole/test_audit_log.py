"""S23: every act that gives or takes rights leaves its row, and nobody changes one unseen.

    python -m tests.whole.test_audit_log --size full --seed 7

Against a program with two server processes each act is done once, by page, API and command line, and the rows that
it left are read; several at once have to make one chain. Then rows are changed, deleted and put in: in the roles of
the program, where it has to be refused, and as the owner of the database, where `tradepost audit verify` has to
notice. Acts that were refused leave nothing. No secret is in the log.

The mutant lets two acts pass without a row; the tests below try a verification that believes what it reads.
"""

from __future__ import annotations

import random
import re
import sys
import threading
from collections.abc import Callable
from typing import Final

import asyncpg
import pytest

from tests.support.guest import PROXIES, Form, Guest, forms_of
from tests.support.jobs import Auditor, Figure, Finding, auditing
from tests.support.program import Client, Program, serving
from tests.support.secret_life import LIMITS, Life

LIFE: Final = {
    "merchant.signed_up", "person.signed_in", "person.factor_added", "person.recovery_code_used",
    "person.password_reset", "person.password_changed", "person.sessions_ended", "app.added", "app.verified",
    "app.secret_replaced", "app.old_secret_ended", "app.verification_asked", "app.refused", "app.deleted",
    "consent.given", "consent.ended", "webhook.subscribed", "operator.added", "operator.token_issued",
    "webhook.secret_replaced", "operator.password_set", "operator.signed_in", "person.recovery_codes_renewed",
}  # fmt: skip
"""What a life full of secrets leaves behind."""
RESET_BY_SENDERS: Final = (
    "select count(*) from audit_record a join shipper s on s.id = a.subject where a.verb = 'person.password_reset'"
)
TAMPERED: Final = (
    (
        "update audit_record set about = about || ' ' where id = {id}",
        "update audit_record set about = rtrim(about) where id = {id}",
    ),
    (
        "update audit_record set at = at - interval '1 second' where id = {id}",
        "update audit_record set at = at + interval '1 second' where id = {id}",
    ),
    (
        "update audit_record set actor = actor || 'x' where id = {id}",
        "update audit_record set actor = left(actor, -1) where id = {id}",
    ),
    (
        "update audit_link set record_id = -record_id where record_id = {id}",
        "update audit_link set record_id = -record_id where record_id = -{id}",
    ),
    (
        "insert into audit_record (at, actor_kind, actor, client, verb, about) "
        "values (now(), 'shell', '', '', 'app.added', '{{}}')",
        "delete from audit_record where id not in (select record_id from audit_link)",
    ),
)
"""What somebody who owns the database may try, and how it is taken back."""
FORBIDDEN: Final = (
    "update audit_record set verb = 'a.b'", "delete from audit_record", "truncate audit_record cascade",
    "update audit_link set hash = sha256('x')", "delete from audit_link", "drop table audit_record cascade",
    "insert into audit_link values (1000000, 1, sha256('x'))", "alter table audit_record disable trigger all",
)  # fmt: skip


def _verbs(auditor: Auditor, after: int) -> list[str]:
    return [row[0] for row in auditor.rows("select verb from audit_record where id > $1 order by id", after)]


def _head(auditor: Auditor) -> int:
    return int(auditor.value("select coalesce(max(id), 0) from audit_record"))


def _acts(running: Program, life: Life) -> dict[str, Callable[[], object]]:
    """What is done by hand, by the row that it has to leave."""
    shop, app = life.cast["merchants"][1], life.cast["merchants"][0]["client_id"]
    guest = life.guest()

    def sign_in() -> None:
        form = next(form for form in forms_of(guest.get("/sign-in")) if form.action.startswith("/sign-in"))
        assert guest.send(form, email=shop["email"], password=shop["password"]).status == 303

    def sign_out() -> None:
        guest.send(next(form for form in forms_of(guest.get("/account")) if form.action == "/sign-out"))

    def suspend() -> None:
        with Client(running.merchant, next(iter(life.marked.kinds["operator token"]))) as client:
            answer = client.post_json("/api/operator/v1/merchants/suspend", {"merchant_id": shop["id"]})
        assert answer.status == 200, answer.body

    desk, job = life.guest(), _failed_job(life.auditor)

    def come_to_desk() -> None:
        running.told("operator", "add", "day shift")
        running.told("operator", "password", "day shift", "--password", "a desk by day")
        life.marked.add("password", "a desk by day")
        door = next(form for form in forms_of(desk.get("/operator/sign-in")) if "sign-in" in form.action)
        assert desk.send(door, None, name="day shift", password="a desk by day").status == 303

    def desk_form(page: str, action: str) -> Form:
        return next(form for form in forms_of(desk.get(page)) if form.action == action)

    def retry() -> None:
        assert desk.send(desk_form("/operator/jobs", f"/operator/jobs/{job}/retry")).status == 303

    sender = running.credentials()["wishpost"][0]["id"]
    token = running.told("token", "issue", shop["id"], app).strip()
    life.marked.add("access token", token)
    return {
        "person.signed_in": sign_in,
        "person.signed_out": sign_out,
        "app.secret_replaced": lambda: running.told("app", "secret", app),
        "app.disabled": lambda: running.told("app", "disable", app),
        "app.enabled": lambda: running.told("app", "enable", app),
        "token.issued": lambda: running.told("token", "issue", shop["id"], app, "--days", "1"),
        "token.revoked": lambda: running.told("token", "revoke", token),
        "operator.suspend_merchant": suspend,
        "merchant.reinstated": lambda: running.told("merchant", "resume", shop["id"]),
        "merchant.added": lambda: running.told("merchant", "add", "Another", "another@shop.example"),
        "sender.added": lambda: running.told("sender", "add", "Another", "another@parcels.example"),
        "sender.unverified": lambda: running.told("sender", "unverify", sender),
        "sender.verified": lambda: running.told("sender", "verify", sender),
        "operator.send_notification": lambda: running.told("notify", shop["id"], "Hello", "to you"),
        "operator.signed_in": come_to_desk,
        "operator.retry_job": retry,
        "operator.signed_out": lambda: desk.send(desk_form("/operator", "/operator/sign-out")),
        "job.retried": lambda: running.told("jobs", "retry", _failed_job(life.auditor)),
        "person.factor_removed": lambda: running.told("operator", "factor-off", "desk 0"),
        "operator.disabled": lambda: running.told("operator", "disable", "night shift"),
    }


def _failed_job(auditor: Auditor) -> str:
    """A job that looks as if it had been given up; no worker knows its kind, so that it stays what it is."""
    text = (
        "update tradepost.job set kind = 'of_old', state = 'failed', error = 'no luck', ended_at = now() "
        "where (account_id, id) in (select account_id, id from tradepost.job where state = 'finished' limit 1) "
        "returning id"
    )
    return str(auditor.rows(text)[0][0])


def _do_each(running: Program, auditor: Auditor, life: Life) -> list[str]:
    wrong = []
    for verb, act in _acts(running, life).items():
        before = _head(auditor)
        act()
        if verb not in (found := _verbs(auditor, before)):
            wrong.append(f"{verb} left {found}")
    before = _head(auditor)
    running.run("app", "disable", "0" * 24)
    running.run("token", "revoke", "mp_at_none")
    if left := _verbs(auditor, before):
        wrong.append(f"what was refused left {left}")
    return wrong


def _together(running: Program, auditor: Auditor, count: int) -> list[str]:
    """Acts of many at once make one chain."""
    before = _head(auditor)
    member = running.credentials()["merchants"][0]
    auditor.rows("truncate tradepost.rate_window")

    def come(number: int) -> None:
        guest = Guest(running.merchant, f"198.51.100.{number}")  # from one address so many would be too many
        form = next(form for form in forms_of(guest.get("/sign-in")) if form.action.startswith("/sign-in"))
        guest.send(form, email=member["email"], password=member["password"])

    threads = [threading.Thread(target=come, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = len(_verbs(auditor, before))
    return [] if found == count else [f"{count} at once left {found} rows"]


def _forbidden(auditor: Auditor) -> list[str]:
    wrong = []
    for role in ("tradepost_app", "tradepost_platform"):
        for statement in FORBIDDEN:
            try:
                auditor.run(f"begin; set local role {role}; {statement}; rollback")
                wrong.append(f"{role} may {statement}")
            except asyncpg.PostgresError:
                auditor.run("rollback")
    return wrong


def _tampered(running: Program, auditor: Auditor, source: random.Random) -> list[str]:
    wrong = []
    good = running.run("audit", "verify")
    if good.returncode != 0:
        return [f"the log is wrong before anybody touched it: {good.stderr[:200]}"]
    (anchor,) = re.findall(r"anchor +(\S+)", good.stdout)
    ids = [row[0] for row in auditor.rows("select id from audit_record order by id")]
    auditor.run("alter table audit_link drop constraint audit_link_record_id_fkey")
    for change, undo in TAMPERED:
        one = source.choice(ids[:-1])
        inert = "set session_replication_role = replica; {}; set session_replication_role = origin"
        auditor.run(inert.format(change.format(id=one)))
        if running.run("audit", "verify").returncode == 0:
            wrong.append(f"nobody noticed {change.format(id=one)}")
        auditor.run(inert.format(undo.format(id=one)))
        if (told := running.run("audit", "verify", "--anchor", anchor)).returncode != 0:
            wrong.append(f"taken back, and still: {told.stderr[:200]}")
    auditor.run(
        f"delete from audit_link where record_id = {ids[-1]}; delete from audit_record where id = {ids[-1]}"
    )
    if running.run("audit", "verify", "--anchor", anchor).returncode == 0:
        wrong.append("nobody noticed that the end was cut off")
    return wrong


def run(size: int, seed: int, spoiled: str | None) -> Finding:
    """So many rounds of everything, each act by hand, so many at once, and whatever may be tried at the rows."""
    source = random.Random(seed)
    settings = {"trusted_proxies": PROXIES, "rate_limits": LIMITS}
    with (
        serving("--workers", "2", spoiled=spoiled, **settings) as running,
        auditing(running) as auditor,
    ):
        life = Life(running, auditor, source)
        life.run(size)
        wrong = [f"{verb} left nothing" for verb in sorted(LIFE - set(_verbs(auditor, 0)))]
        wrong += [] if auditor.value(RESET_BY_SENDERS) >= size else ["senders' new passwords left nothing"]
        wrong += _do_each(running, auditor, life)
        wrong += _together(running, auditor, 4 * size)
        text = auditor.value("select string_agg(r::text, E'\\n') from audit_record r").encode()
        wrong += [f"{kind} {begin}… in the log" for kind, begin in life.marked.found_in(text)]
        wrong += _forbidden(auditor)
        wrong += _tampered(running, auditor, source)
        acts, verbs = _head(auditor), auditor.value("select count(distinct verb) from audit_record")
        assert running.stop() == 0
    told = {"n": acts, "verbs": verbs, "secrets": life.marked.count, "tampered": len(TAMPERED) + 1}
    return Finding(wrong, acts > 30, told)


FIGURE = Figure("S23", "unseen", run, {"smoke": 1, "full": 20}, mutant="acts_unrecorded")


# -- tests


def test_every_act_leaves_a_row_that_nobody_changes_unseen() -> None:
    found = run(1, random.randrange(1 << 16), None)
    print(found.told)
    assert found.wrong == []
    assert found.tried


@pytest.mark.parametrize("spoiled", ["acts_unrecorded", "links_believed"])
def test_a_protection_that_is_gone_is_noticed(spoiled: str) -> None:
    assert run(1, 1, spoiled).wrong


if __name__ == "__main__":
    sys.exit(FIGURE.main(__doc__))

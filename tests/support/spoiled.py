"""The program with one protection taken away, so that a figure can show that it would notice.

Each function here is called by every process of a program that was started with its name; see `Program`. What it
changes holds for that process alone, and nothing of the program knows of it.
"""

from __future__ import annotations

import asyncio
import io
import sys
import time
from datetime import timedelta
from typing import Any


def _runs(verb: str) -> bool:
    return verb in sys.orig_argv


def cursor_apart() -> None:
    """A step's effects and its progress are committed one after the other, and a pack may be applied twice."""
    if not _runs("work"):
        return
    from tradepost.domain import jobs, world
    from tradepost.worker import runner

    async def step(self: Any, handler: Any, work: Any) -> Any:
        effect = await handler.outside(work.job, work.note)
        async with self._app.acting_for(work.claim.account_id) as connection:
            ctx = await world.enter(connection)
            advance = await handler.inside(ctx, await jobs.hold(ctx, work.claim), effect)
        await asyncio.sleep(0.4)
        async with self._app.acting_for(work.claim.account_id) as connection:
            return await jobs.advance(await world.enter(connection), work.claim, advance)

    runner.Runner._step = step  # type: ignore[method-assign]
    _apply_packs_again()


def cancel_ignored() -> None:
    """A worker goes on with a job whoever ended it meanwhile."""
    if not _runs("work"):
        return
    from tradepost.domain.jobs import job

    job.holds = lambda job, held: True


def any_signature() -> None:
    """A link is believed whatever its signature says."""
    if not _runs("web"):
        return
    import hmac

    hmac.compare_digest = lambda a, b: True


def looks_once() -> None:
    """A worker looks for chores when it begins and when it is told to, and not every few seconds."""
    if not _runs("work"):
        return
    from tradepost.worker import chores

    chores.LOOK_SECONDS = 3600.0


def event_apart() -> None:
    """The event of a finished download is written down after the download is committed."""
    if not _runs("work"):
        return
    from tradepost.domain import outbox, world
    from tradepost.worker import runner

    record_event, step = outbox.record_event, runner.Runner._step
    happened: dict[str, tuple[Any, ...]] = {}

    async def remember(ctx: Any, account_id: str, topic: str, about: Any) -> str:
        happened[about["job_id"]] = (account_id, topic, about)
        return ""

    async def step_and_tell(self: Any, handler: Any, work: Any) -> Any:
        job = await step(self, handler, work)
        if remembered := happened.pop(job.id, None):
            await asyncio.sleep(0.1)
            async with self._app.acting_for(job.account_id) as connection:
                await record_event(await world.enter(connection), *remembered)
        return job

    outbox.record_event = remember
    runner.Runner._step = step_and_tell  # type: ignore[method-assign]


def appended_drafts() -> None:
    """A file goes on where an earlier try left it, instead of beginning anew."""
    if not _runs("work"):
        return
    from tradepost.storage import files_local

    begin = files_local._Draft.__init__

    def begin_again(self: Any, root: Any, target: Any) -> None:
        begin(self, root, target)
        self._path = target.parents[1] / ".draft"

    def create(self: Any) -> None:
        self._target.parent.mkdir(parents=True, exist_ok=True)
        self._file = io.FileIO(self._path, "a")

    def keep(self: Any) -> None:
        self._file.close()

    async def delete_nothing(self: Any, prefix: str) -> int:
        return 0

    files_local._Draft.__init__ = begin_again  # type: ignore[method-assign]
    files_local._Draft.create = create  # type: ignore[method-assign]
    files_local._Draft.discard = keep  # type: ignore[method-assign]
    files_local.LocalFiles.delete_all = delete_nothing  # type: ignore[method-assign]


def no_drafts() -> None:
    """A file is written under its own name from the first byte."""
    if not _runs("work"):
        return
    from tradepost.storage import files_local

    begin = files_local._Draft.__init__

    def begin_in_place(self: Any, root: Any, target: Any) -> None:
        begin(self, root, target)
        self._path = target

    files_local._Draft.__init__ = begin_in_place  # type: ignore[method-assign]


def short_lease() -> None:
    """Nothing is taken away, but a worker that says nothing is given up after a few seconds."""
    if not _runs("work"):
        return
    from tradepost.domain.jobs import job
    from tradepost.storage import database

    settings_of = database.session_settings

    def impatient(role: str) -> dict[str, str]:
        return {**settings_of(role), "idle_in_transaction_session_timeout": "5000"}

    job.LEASE = timedelta(seconds=3)  # type: ignore[misc]
    database.session_settings = impatient


def unfenced() -> None:
    """A step goes on from what its worker remembers, whoever has the job by now, and applies a pack again."""
    if not _runs("work"):
        return
    short_lease()
    from tradepost.domain import jobs, world
    from tradepost.domain.jobs import job as machine
    from tradepost.worker import runner

    async def step(self: Any, handler: Any, work: Any) -> Any:
        effect = await handler.outside(work.job, work.note)
        async with self._app.acting_for(work.claim.account_id) as connection:
            ctx = await world.enter(connection)
            advance = await handler.inside(ctx, work.job, effect)
            work.job = await jobs.advance(ctx, work.claim, advance)
            return work.job

    machine.holds = lambda job, held: True
    runner.Runner._step = step  # type: ignore[method-assign]
    _apply_packs_again()


def no_guard() -> None:
    """What is fetched is fetched from wherever it is, by a reading of URLs that a careless client has."""
    if not _runs("egress"):
        return
    import importlib
    from urllib.parse import urljoin, urlsplit

    from tradepost.egress.addresses import Judge
    from tradepost.egress.urls import BadUrl, Target

    def read(url: str) -> Target:
        try:
            parts = urlsplit(url)
            return Target(parts.scheme, parts.hostname or "", parts.port or 80, f"{parts.path}?{parts.query}")
        except ValueError:
            raise BadUrl("not even so") from None

    Judge.lets = lambda self, text, port: True  # type: ignore[method-assign]
    fetching: Any = importlib.import_module("tradepost.egress.fetching")
    fetching.read_url = read
    fetching.follow = lambda before, location: read(urljoin(before.url, location))


def pictures_settled_apart() -> None:
    """A picture is noted as settled, and only later shown, in another transaction; what a try left stays."""
    if not _runs("work"):
        return
    from tradepost.domain import products, world
    from tradepost.worker import pictures, runner

    settle, step = products.settle_picture, runner.Runner._step
    left: list[tuple[str, Any]] = []

    async def remember(ctx: Any, merchant_id: str, settled: Any) -> None:
        left.append((merchant_id, settled))

    async def step_and_settle(self: Any, handler: Any, work: Any) -> Any:
        job = await step(self, handler, work)
        await asyncio.sleep(0.3)
        while left:
            merchant_id, settled = left.pop()
            async with self._app.acting_for(merchant_id) as connection:
                await settle(await world.enter(connection), merchant_id, settled)
        return job

    products.settle_picture = remember
    runner.Runner._step = step_and_settle  # type: ignore[method-assign]
    pictures.EARLIER_TRIES = 0  # type: ignore[misc]


def _apply_packs_again() -> None:
    from tradepost.domain.bulk_updates import rows

    note_applied = rows.note_applied

    async def note_again(db: Any, merchant_id: str, job_id: str, number: int, *rest: Any) -> bool:
        await db.execute(
            "update bulk_pack set applied = false where merchant_id = $1 and job_id = $2 and number = $3",
            merchant_id,
            job_id,
            number,
        )
        return await note_applied(db, merchant_id, job_id, number, *rest)

    rows.note_applied = note_again  # type: ignore[assignment]


def parcels_unlocked() -> None:
    """Parcels and money are looked at and then changed, without being held in between."""
    if not _runs("web"):
        return
    from tradepost.domain.ledger import rows as ledger_rows
    from tradepost.domain.parcels.rows import parcels as parcel_rows

    held = parcel_rows.lock_numbers

    class Unheld:
        def __init__(self, db: Any) -> None:
            self._db = db

        async def fetch(self, query: str, *args: Any) -> Any:
            found = await self._db.fetch(query.replace("for no key update", ""), *args)
            await asyncio.sleep(0.05)
            return found

    async def lock_numbers(db: Any, *args: Any) -> Any:
        unheld: Any = Unheld(db)
        return await held(unheld, *args)

    parcel_rows.lock_numbers = lock_numbers  # type: ignore[assignment]
    ledger_rows.lock = ledger_rows.find


def orders_unheld() -> None:
    """An order is looked at and then changed, without being held in between."""
    if not _runs("web"):
        return
    from tradepost.domain.orders.rows import reading

    async def look(db: Any, merchant_id: str, order_id: str) -> Any:
        found = await reading.by_id(db, merchant_id, order_id)
        await asyncio.sleep(0.02)
        return found

    reading.lock = look


def _steps() -> Any:
    from tradepost.domain.consents import operations

    return operations


def redirects_by_prefix() -> None:
    """Consent leads back to whatever begins like an address of the app."""
    from tradepost.domain import access

    def leads_back_to(app: Any, uri: str) -> bool:
        return any(uri.startswith(own[:22]) for own in app.redirect_uris)

    kind: Any = access.App
    kind.leads_back_to = leads_back_to


def unverified_let_in() -> None:
    """A public app that nobody verified is let in by everybody, not by its developer alone."""
    from tradepost.domain import access

    kind: Any = access.App
    kind.may_be_tried_by = lambda app, account_id: True


def verifiers_unasked() -> None:
    """A code is exchanged whatever the verifier is."""
    _steps().check_verifier = lambda challenge, verifier: None


def codes_for_ever() -> None:
    """A code can be exchanged at any time, and again."""
    _steps().judge_code = lambda consent, now: "good"


def forms_unsealed() -> None:
    """A form counts wherever it comes from and whatever it holds."""
    from tradepost.surfaces.pages import site

    site.Visit.check_seal = lambda self, purpose, secret, told: None  # type: ignore[method-assign]
    site.comes_from_here = lambda request: True


def redirects_anywhere() -> None:
    """Wherever somebody wants to go next is believed to be ours, if it can stand in a header at all."""
    from tradepost.surfaces.pages import signing
    from tradepost.surfaces.pages.account import security

    pages: tuple[Any, ...] = (signing, security)
    for page in pages:
        page.is_ours = lambda site, where: bool(where) and where.isascii() and where.isprintable()


def forms_logged() -> None:
    """What pages are sent is logged, as one does to find a fault and then forgets."""
    from tradepost.surfaces.pages import site

    answer = site.Site._answer

    async def logged(self: Any, visit: Any) -> Any:
        told = await answer(self, visit)
        site.log.info("form", path=visit.request.path, fields=dict(visit.form.values))
        return told

    site.Site._answer = logged  # type: ignore[method-assign]


def breaks_within() -> None:
    """A fault of ours after whatever `breaker` asks, with what he sent in its words."""
    from tradepost.surfaces.pages import site
    from tradepost.wire import gate

    page, call = site.Site._answer, gate._serve

    async def page_breaks(self: Any, visit: Any) -> Any:
        told = await page(self, visit)
        _break_over(visit.request, dict(visit.form.values))
        return told

    async def call_breaks(surface: Any, sessions: Any, rules: Any, queues: Any, request: Any, reply: Any) -> Any:
        told = await call(surface, sessions, rules, queues, request, reply)
        sent = {name: value for name, value in request.headers.items() if name in ("authorization", "cookie")}
        _break_over(request, sent)
        return told

    site.Site._answer = page_breaks  # type: ignore[method-assign]
    gate._serve = call_breaks


def words_logged() -> None:
    """The words of a fault of ours are logged as they are."""
    from tradepost import logs

    breaks_within()
    logs.without_values = lambda text: text


def _break_over(request: Any, sent: dict[str, str]) -> None:
    if request.headers.get("user-agent") != "breaker":
        return
    for secret in sent.values():
        try:
            try:
                int(f"number {secret}")
            except ValueError as error:
                error.add_note(f"over {secret!r}")
                raise RuntimeError(str(sent)) from error
        except RuntimeError as error:
            raise KeyError(secret) from error
    raise LookupError


def seals_open() -> None:
    """Sealing a secret leaves it as it is."""
    from tradepost.domain.sealing import SealingKeys

    SealingKeys.seal = lambda self, secret, owner: b"sealed: " + secret  # type: ignore[method-assign]
    SealingKeys.open = lambda self, sealed, owner: sealed.removeprefix(b"sealed: ")  # type: ignore[method-assign]


def acts_unrecorded() -> None:
    """Some acts leave no row."""
    from tradepost.domain import audit

    record = audit.record

    async def sometimes(ctx: Any, verb: str, subject: str | None = None, **about: Any) -> None:
        if verb not in ("app.secret_replaced", "person.password_changed"):
            await record(ctx, verb, subject, **about)

    audit.record = sometimes


def links_believed() -> None:
    """Whoever looks at the audit log finds nothing wrong with it."""
    from dataclasses import replace

    from tradepost.domain import audit

    verify = audit.verify

    async def believing(ctx: Any, anchor: Any = None) -> Any:
        return replace(await verify(ctx, anchor), troubles=())

    audit.verify = believing


def former_secrets_for_ever() -> None:
    """An app's secret stays good when it gets another one."""
    from tradepost.domain.access import operations

    operations.OLD_SECRET_HOURS = 24 * 365


def refreshed_for_ever() -> None:
    """A refresh token that was used is good for another pair."""
    _steps().judge_refresh = lambda used_at, has_seed, now: "good"


def rotated_without_repeat() -> None:
    """Whoever lost the answer of a refresh has lost his tokens."""
    _steps().judge_refresh = lambda used_at, has_seed, now: "good" if used_at is None else "reused"


def places_unnoticed() -> None:
    """Whatever place a token is used from, it is one that was known."""
    from tradepost.domain.access import uses

    uses.network_of = uses.program_of = lambda _: ""  # type: ignore[assignment]


def families_apart() -> None:
    """Nothing else ends when something was reused."""

    async def nothing(*_: Any) -> None:
        """Ends nothing."""

    _steps().rows.end = nothing
    _steps().access.revoke_of_consent = nothing


def key_apart() -> None:
    """The key of a call is looked for first and written when all is done; nobody holds it in between."""
    if not _runs("web"):
        return
    from tradepost.domain.operators import rows

    taken: dict[str, bytes] = {}

    async def look(db: Any, operator_id: str, key: str, fingerprint: bytes, *times: Any) -> Any:
        taken[operator_id + key] = fingerprint
        found = await db.fetchrow(
            "select fingerprint, answer from idempotency_key where operator_id = $1 and key = $2", operator_id, key
        )
        if found is None:
            return "new", None
        return ("done", found[1]) if found[0] == fingerprint else ("other", None)

    async def write(db: Any, operator_id: str, key: str, answer: bytes) -> None:
        await db.execute(
            "insert into idempotency_key (operator_id, key, fingerprint, used_at, answer) "
            "values ($1, $2, $3, world_now(), $4) on conflict do nothing",
            operator_id,
            key,
            taken[operator_id + key],
            answer,
        )

    rows.take_key = look  # type: ignore[assignment]
    rows.keep_answer = write


def stale_tickets() -> None:
    """A ticket that was read is read again from memory for some moments."""
    if _runs("web"):
        remember_tickets()


def remember_tickets() -> None:
    """The same for this process, whatever it runs."""
    from tradepost.domain.tickets import rows

    find = rows.find
    known: dict[str, tuple[float, Any]] = {}

    async def remember(db: Any, merchant_id: str, ticket_id: str) -> Any:
        at, found = known.get(ticket_id, (0.0, None))
        if found is None or time.monotonic() - at > 0.3:
            found = await find(db, merchant_id, ticket_id)
            known[ticket_id] = (time.monotonic(), found)
        return found

    rows.find = remember


def sent_is_arrived() -> None:
    """What was sent counts as delivered, whatever was answered."""
    if not _runs("work"):
        return
    from tradepost.domain.webhooks.schedule import Attempt

    Attempt.arrived = property(lambda self: True)  # type: ignore[assignment,method-assign]


def slow_holds_up() -> None:
    """Whoever keeps a message waiting keeps his place among those that answer quickly."""
    if not _runs("work"):
        return
    from tradepost.worker.hands import Hands

    Hands.note_slow = lambda self, name: None  # type: ignore[method-assign]


def signed_once() -> None:
    """Messages are signed with the present secret alone, also where a former one is still good."""
    if not _runs("work"):
        return
    from tradepost.domain import webhooks

    sign = webhooks.signatures
    webhooks.signatures = lambda secrets, *message: sign(secrets[:1], *message)


def overlap_unended() -> None:
    """A former secret that is ended goes on."""
    if not _runs("web"):
        return
    from tradepost.domain import webhooks

    async def stay(ctx: Any, subscription_id: str) -> None:
        await webhooks.find_subscription(ctx, subscription_id)

    webhooks.end_overlap = stay


def again_at_once() -> None:
    """What was not taken is sent again in a second."""
    if not _runs("work"):
        return
    from tradepost.domain.webhooks import schedule

    pause = schedule.pause_after

    def at_once(delivery_id: str, attempts: int) -> timedelta | None:
        return None if pause(delivery_id, attempts) is None else timedelta(seconds=1)

    schedule.pause_after = at_once


def beat_apart() -> None:
    """A beat of the autopilot is over before what is in it has come about."""
    if not _runs("work"):
        return
    from tradepost.domain.autopilot import rows

    store = rows.store

    async def commit(db: Any, after: Any) -> None:
        await store(db, after)
        await db.execute("commit")
        await db.execute("begin")

    rows.store = commit

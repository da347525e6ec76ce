"""Events are told once and letters are written once, however often a worker tries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from tests.support.market import NOW, Market
from tradepost.domain import jobs, outbox
from tradepost.domain.context import Ctx
from tradepost.domain.jobs import Job, JobNotFound
from tradepost.domain.outbox import SEND, TELL, Event, NotThere, Person, Words

LATER = NOW + timedelta(hours=1)


@dataclass
class Post:
    """The outbox of a shop without anything in it, its worker, and a writer that remembers."""

    ctx: Ctx
    account: str
    asked: list[tuple[Event, Person]] = field(default_factory=list)

    def write(self, event: Event, person: Person) -> Words | None:
        """Write to everybody about every topic but one."""
        self.asked.append((event, person))
        return None if event.topic == "silent" else Words(f"about {event.topic}", f"Dear {person.name}")

    async def record(self, topic: str = "topic") -> str:
        """Let something happen."""
        return await outbox.record_event(self.ctx, self.account, topic, {"size": 3, "name": "戒指"})

    async def next_job(self, kind: str) -> Job | None:
        """Take the next job of a kind."""
        return await jobs.claim_next(self.ctx, 1, [kind])

    async def tell(self) -> Job:
        """Do the job that tells what happened."""
        job = await self.next_job(TELL)
        assert job is not None
        step = await outbox.tell_event(replace(self.ctx, now=LATER), job, self.write)
        return await jobs.advance(self.ctx, jobs.claim_of(job), step)


Scene = Callable[[Post], Awaitable[None]]
Play = Callable[[Scene], None]


@pytest.fixture
def play(market: Market) -> Play:
    """Runs one scene."""

    def run(scene: Scene) -> None:
        async def within(ctx: Ctx) -> None:
            for table in ("job", "mail", "event"):
                await ctx.db.execute(f"delete from {table}")
            await ctx.db.execute("select pg_advisory_xact_lock(7403, 1)")
            await scene(Post(ctx, market.world.merchants["cny"].account_id))

        market.operate(within)

    return run


def test_an_event_becomes_a_letter_to_who_opened_the_shop(play: Play) -> None:
    async def scene(post: Post) -> None:
        event_id = await post.record()
        assert (await post.tell()).state == jobs.FINISHED
        ((event, person),) = post.asked
        assert event == Event(post.account, event_id, "topic", {"size": 3, "name": "戒指"}, NOW)
        assert person == Person("lan@lanterns.example", "岚的灯笼 Lan's Lanterns", "en")
        (mail,) = await outbox.list_mail(post.ctx, 10)
        assert (mail.recipient, mail.subject, mail.body) == (person.email, "about topic", f"Dear {person.name}")
        assert (mail.created_at, mail.sent_at, mail.refused) == (LATER, None, None)

    play(scene)


def test_telling_again_writes_nothing_again(play: Play) -> None:
    """A worker that was killed after the commit, or that finds the same job twice."""

    async def scene(post: Post) -> None:
        await post.record()
        done = await post.tell()
        step = await outbox.tell_event(post.ctx, done, post.write)
        assert step.done
        assert len(post.asked) == len(await outbox.list_mail(post.ctx, 10)) == 1

    play(scene)


def test_nobody_is_written_to_about_everything(play: Play) -> None:
    async def scene(post: Post) -> None:
        await post.record("silent")
        assert (await post.tell()).state == jobs.FINISHED
        assert await outbox.list_mail(post.ctx, 10) == []
        assert await post.next_job(SEND) is None

    play(scene)


@pytest.mark.parametrize("refused", [None, "550 no such person"])
def test_a_letter_that_went_out_or_never_will(play: Play, refused: str | None) -> None:
    async def scene(post: Post) -> None:
        mail_id = await outbox.queue_mail(post.ctx, post.account, "a@b.example", Words("s", "b"))
        job = await post.next_job(SEND)
        assert job is not None
        assert (await outbox.find_mail(post.ctx, job)).id == mail_id
        step = await outbox.mark_mail(replace(post.ctx, now=LATER), job, refused)
        assert (await jobs.advance(post.ctx, jobs.claim_of(job), step)).state == jobs.FINISHED
        (mail,) = await outbox.list_mail(post.ctx, 10)
        assert (mail.sent_at, mail.refused) == ((None, refused) if refused else (LATER, None))

    play(scene)


def test_what_was_forgotten_in_the_meantime(play: Play) -> None:
    """Neither an event nor a letter that is gone is a mistake of the job that was to bring it."""

    async def scene(post: Post) -> None:
        await post.record()
        await outbox.queue_mail(post.ctx, post.account, "a@b.example", Words("s", "b"))
        assert await outbox.forget_old_events(replace(post.ctx, now=NOW + timedelta(days=31))) == 2
        assert (await post.tell()).state == jobs.FINISHED
        assert post.asked == []
        job = await post.next_job(SEND)
        assert job is not None
        with pytest.raises(NotThere):
            await outbox.find_mail(post.ctx, job)

    play(scene)


def test_old_things_are_forgotten_and_newer_ones_stay(play: Play) -> None:
    async def scene(post: Post) -> None:
        await post.record()
        await post.tell()
        assert await outbox.forget_old_events(replace(post.ctx, now=NOW + timedelta(days=30))) == 0
        # The letter goes with its event, and is counted or not, but it does not stay behind.
        assert await outbox.forget_old_events(replace(post.ctx, now=NOW + timedelta(days=30, minutes=1))) >= 1
        assert await outbox.list_mail(post.ctx, 10) == []

    play(scene)


def test_the_latest_letters_come_first(play: Play) -> None:
    async def scene(post: Post) -> None:
        for number in range(4):
            ctx = replace(post.ctx, now=NOW + timedelta(minutes=number))
            await outbox.queue_mail(ctx, post.account, "a@b.example", Words(str(number), "b"))
        assert [mail.subject for mail in await outbox.list_mail(post.ctx, 3)] == ["3", "2", "1"]

    play(scene)


def test_events_are_told_in_their_order(play: Play) -> None:
    async def scene(post: Post) -> None:
        recorded = [await post.record() for _ in range(3)]
        for _ in recorded:
            await post.tell()
        assert [event.id for event, _ in post.asked] == recorded

    play(scene)


def test_the_jobs_of_others_are_not_theirs(play: Play, market: Market) -> None:
    async def scene(post: Post) -> None:
        await post.record()
        job = await post.next_job(TELL)
        assert job is not None
        assert job.token_id is None
        with pytest.raises(JobNotFound):
            await jobs.find_job(post.ctx, market.world.merchants["usd"].account_id, TELL, job.id)

    play(scene)

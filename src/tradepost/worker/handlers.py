"""What is done for each kind of job. A step of a job has two halves:

* `outside` does what no transaction can take back (a file, a letter); it may run again after a crash;
* `inside` changes the database and says how far the job is, in one transaction that also moves the job on.

So effects in the database happen once, those outside at least once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from tradepost.domain import bulk_updates, downloads, merchants, outbox, webhooks
from tradepost.domain.context import Ctx
from tradepost.domain.downloads import Exported
from tradepost.domain.jobs import MOST_TRIES, Advance, Job
from tradepost.domain.outbox import Mail, NotThere, Writer
from tradepost.domain.sealing import SealingKeys
from tradepost.storage.database import Database
from tradepost.storage.files import FileStore
from tradepost.worker.smtp import Letter, MailRefused

EXPORT_TIMEOUT_MS = 60 * 60 * 1000
TRIES_SWEPT = 2 * MOST_TRIES


class Progress(Protocol):
    """Takes how far a step is: so much of a total, None where that is not known yet."""

    def __call__(self, processed: int, total: int | None) -> None:
        """Note it; somebody else writes it down now and then."""


class Handler(Protocol):
    """What is done for one kind of job."""

    kind: ClassVar[str]

    async def outside(self, job: Job, progress: Progress) -> Any:
        """The half of a step that happens outside of the database; gives what `inside` needs of it."""

    async def inside(self, ctx: Ctx, job: Job, effect: Any) -> Advance:
        """The half of a step that happens in the transaction which moves the job on."""

    async def dropped(self, job: Job, effect: Any) -> None:
        """Clean up what `outside` did where the job was lost in between."""

    async def parked(self, ctx: Ctx, job: Job) -> None:
        """What is to be written down when the job is given up."""


class Plain:
    """A handler with nothing to do outside."""

    async def outside(self, job: Job, progress: Progress) -> Any:
        """Nothing."""

    async def dropped(self, job: Job, effect: Any) -> None:
        """Nothing is left behind."""

    async def parked(self, ctx: Ctx, job: Job) -> None:
        """The job's state says it all."""


class BulkUpdates(Plain):
    """Applies a pack of rows a step."""

    kind: ClassVar[str] = bulk_updates.KIND

    async def inside(self, ctx: Ctx, job: Job, effect: None) -> Advance:
        """Apply the next pack, or note what was changed."""
        return await bulk_updates.take_step(await merchants.act_for(ctx, job.account_id), job)

    async def parked(self, ctx: Ctx, job: Job) -> None:
        """Say so, and have noted what was changed until then."""
        await bulk_updates.report_parked(await merchants.act_for(ctx, job.account_id), job)


class BulkUpdateNotes(Plain):
    """Notes what an update has changed that did not come to its own end, some products a step."""

    kind: ClassVar[str] = bulk_updates.NOTE_KIND

    async def inside(self, ctx: Ctx, job: Job, effect: None) -> Advance:
        """Note some of it."""
        return await bulk_updates.take_note_step(await merchants.act_for(ctx, job.account_id), job)


class _Downloads(Plain):
    """Makes a file in one step."""

    def __init__(self, database: Database, files: FileStore, public_url: str) -> None:
        """`public_url` is what the URLs of pictures begin with."""
        self._database = database
        self._files = files
        self._public_url = public_url

    async def outside(self, job: Job, progress: Progress) -> Exported:
        """Write the file, all from one snapshot; what earlier tries left is gone before.

        Only that of earlier ones: whoever comes back too late must not touch what his successor wrote.
        """
        for earlier in range(max(1, job.fence - TRIES_SWEPT), job.fence):
            await self._files.delete_all(downloads.version_folder(job.account_id, job.id, earlier))
        key = downloads.key_of(job.account_id, job.id, job.fence, job.kind)
        async with (
            self._files.writing(key) as writer,
            # Ends first: bringing a large file to the disk may take longer than a transaction may be idle.
            self._database.acting_for(
                job.account_id, one_snapshot=True, timeout_ms=EXPORT_TIMEOUT_MS
            ) as connection,
        ):
            now = await connection.fetchval("select world_now()")

            async def write(piece: bytes) -> None:
                await writer.write(piece)
                progress(export.written, export.total)

            export = downloads.Export(job, self._public_url, write)
            return await export.run(Ctx(db=connection, now=now, actor=None), connection)

    async def inside(self, ctx: Ctx, job: Job, effect: Exported) -> Advance:
        """Let the link appear."""
        return await downloads.finish_download(ctx, job, effect)

    async def dropped(self, job: Job, effect: Exported) -> None:
        """Delete the file that no link will ever lead to."""
        await self._files.delete_all(downloads.version_folder(job.account_id, job.id, job.fence))

    async def parked(self, ctx: Ctx, job: Job) -> None:
        """Say so."""
        await downloads.report_parked(ctx, job)


class ProductDownloads(_Downloads):
    """Makes a file of a catalogue."""

    kind: ClassVar[str] = downloads.PRODUCTS


class OrderDownloads(_Downloads):
    """Makes a file of orders."""

    kind: ClassVar[str] = downloads.ORDERS


class Telling(Plain):
    """Writes the letters about an event, and lets webhooks be sent."""

    kind: ClassVar[str] = outbox.TELL

    def __init__(self, write: Writer) -> None:
        self._write = write

    async def inside(self, ctx: Ctx, job: Job, effect: None) -> Advance:
        """Write them."""
        return await outbox.tell_event(ctx, job, self._write, (webhooks.fan_out,))


class Mailer(Protocol):
    """Brings letters on their way."""

    async def send(self, letter: Letter) -> None:
        """Send one; raises MailRefused for good, and other errors for what time mends."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A letter that is on its way, or was refused for good."""

    refused: str | None = None


class Mailing(Plain):
    """Sends one letter."""

    kind: ClassVar[str] = outbox.SEND

    def __init__(self, database: Database, mailer: Mailer, seals: SealingKeys) -> None:
        """`seals` open what letters say and the database does not know."""
        self._database = database
        self._mailer = mailer
        self._seals = seals

    async def outside(self, job: Job, progress: Progress) -> Sent:
        """Send it; the same letter has the same id however often it is sent."""
        try:
            async with self._database.acting_for(job.account_id) as connection:
                mail = await outbox.find_mail(Ctx(db=connection, now=job.created_at, actor=None), job)
            await self._mailer.send(_letter(mail, mail.opened(self._seals)))
        except MailRefused as refused:
            return Sent(str(refused))
        except NotThere:
            return Sent("it was forgotten before it could be sent")
        return Sent()

    async def inside(self, ctx: Ctx, job: Job, effect: Sent) -> Advance:
        """Note that it went out."""
        return await outbox.mark_mail(ctx, job, effect.refused)


def _letter(mail: Mail, text: str) -> Letter:
    return Letter(message_id=mail.id, to=mail.recipient, subject=mail.subject, body=text, at=mail.created_at)


class Mailbox:
    """The sandbox's own mailbox: every letter arrives, and `tradepost sandbox mail` shows it."""

    async def send(self, letter: Letter) -> None:
        """A letter that is marked as sent lies in the mailbox."""

"""What an operator says about a public app: that it is what it says it is, or why it is not verified.

Its developer gets a letter about it, once for each time that something else is said.
"""

from __future__ import annotations

from typing import Final

from tradepost.domain import audit, outbox
from tradepost.domain.access import failures, rows
from tradepost.domain.access.app import MOST_REASON
from tradepost.domain.access.operations import find_app
from tradepost.domain.context import Ctx

VERIFIED_TOPIC: Final = "app_verified"
REFUSED_TOPIC: Final = "app_refused"
JUDGED_TOPICS: Final = (VERIFIED_TOPIC, REFUSED_TOPIC)


async def verify_app(ctx: Ctx, service: str, app_id: str, revision: int | None = None) -> None:
    """Note that a public app is what it says it is: the one of this revision, where one was looked at.

    Raises AppUnknown, AppChanged.
    """
    await _judge(ctx, service, app_id, revision, None)
    await audit.record(ctx, "app.verified", service=service, app_id=app_id)


async def refuse_app(ctx: Ctx, service: str, app_id: str, reason: str, revision: int | None = None) -> None:
    """Note why a public app is not verified, or is not any more; its developer is told and may ask again.

    Raises RefusalUnusable, AppUnknown, AppChanged.
    """
    reason = reason.replace("\r\n", "\n").strip()
    if not reason or len(reason) > MOST_REASON or not reason.replace("\n", " ").isprintable():
        raise failures.RefusalUnusable(most=MOST_REASON)
    await _judge(ctx, service, app_id, revision, reason)
    await audit.record(ctx, "app.refused", service=service, app_id=app_id)


async def _judge(ctx: Ctx, service: str, app_id: str, revision: int | None, refusal: str | None) -> None:
    app = await find_app(ctx, service, app_id)
    is_said_anew = await rows.judge_app(ctx.db, service, app_id, revision, ctx.now, refusal)
    if is_said_anew is None:
        raise failures.AppChanged(app_id=app_id[:64])
    # Private apps wait for nobody, and an operator who added one knows what he said.
    if is_said_anew and app.owner_id is None and app.developer_id is not None:
        about = {"service": service, "app_id": app_id, "app": app.name, "reason": refusal or ""}
        topic = VERIFIED_TOPIC if refusal is None else REFUSED_TOPIC
        await outbox.record_event(ctx, app.developer_id, topic, about)

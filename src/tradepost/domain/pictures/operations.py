"""Naming pictures, having them fetched, and what becomes of them; each in the transaction of whoever calls.

Whoever names pictures takes their rows before the product's, and so does whoever settles one: so a picture that
becomes ready while a product begins to wait for it is shown by it all the same, and nobody waits in a circle.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Final

from tradepost.domain import inbox, jobs
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.jobs import Advance, Job
from tradepost.domain.pictures import rows
from tradepost.domain.pictures.failures import (
    PictureExpired,
    PictureTooLarge,
    PictureTooSmall,
    PictureUnknown,
    PictureUnreadable,
    TooManyWaiting,
    Unusable,
)
from tradepost.domain.pictures.picture import (
    FOLDER,
    KEPT,
    MOST_WAITING,
    PICTURE,
    UPLOAD,
    VIDEO,
    WAITING,
    Kept,
    Kind,
    Picture,
    Taken,
    path_in,
    path_of,
    read_file,
    stem_of,
    upload_stem,
)

FETCH: Final = "picture_fetch"
FAILED_TOPIC: Final = "picture_failed"
LANES: Final = 4
"""How many pictures of one merchant are fetched at the same time."""
LEAST_SIDE: Final = 100
MOST_MEGAPIXELS: Final = 40
SWEPT_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a picture: its source, its path if it is here, and the products that waited for it."""

    source: str
    path: str | None
    product_ids: list[str]


async def take_pictures(ctx: MerchantCtx, given: Iterable[str], kind: Kind = PICTURE) -> Taken:
    """Find or ask for the pictures that a merchant names, by URL or by a path of ours.

    A URL that he named before is not fetched again, unless it failed. Raises PictureUnknown, PictureExpired,
    TooManyWaiting.
    """
    wanted = sorted({text for text in given if text})
    references, sources = await _ours(ctx, wanted, kind)
    waiting: dict[str, str] = {}
    if sources:
        found = await _ask_for(ctx, sorted(set(sources.values())), kind)
        for text, source in sources.items():
            picture = found[source]
            references[text] = source if picture.name is None else path_of(picture.name)
            if picture.state == WAITING:
                waiting[text] = picture.id
    return Taken(references, waiting)


async def _ours(ctx: MerchantCtx, wanted: list[str], kind: Kind) -> tuple[dict[str, str], dict[str, str]]:
    """Those that are here already, by what was written; and of the others where they come from."""
    paths = {text: path for text in wanted if (path := text if text.startswith(FOLDER) else path_in(text))}
    names = [path.removeprefix(FOLDER) for path in paths.values()]
    known = await rows.known_names(ctx.db, ctx.actor.id, names) if names else {}
    references: dict[str, str] = {}
    sources = {text: text for text in wanted if text not in paths}
    for text, path in paths.items():
        name = path.removeprefix(FOLDER)
        file = read_file(name)
        if file is not None and file.expires_at is not None and text == path and file.expires_at <= ctx.now:
            raise PictureExpired(url=text, days=KEPT.days)
        if known.get(name) == kind:
            references[text] = path
        elif known.get(name) == UPLOAD and kind == PICTURE:
            sources[text] = path
        elif text == path:
            raise PictureUnknown(url=text)
        else:  # it only looks like one of ours
            sources[text] = text
    return references, sources


async def _ask_for(ctx: MerchantCtx, sources: list[str], kind: Kind) -> dict[str, Picture]:
    """The pictures of these sources, by source; those that are new, or had failed, get a job."""
    merchant_id = ctx.actor.id
    fresh = await rows.insert_missing(
        ctx.db, merchant_id, kind, [(ctx.new_id(), source) for source in sources], ctx.now
    )
    fresh += await rows.revive_failed(ctx.db, merchant_id, kind, sources)
    if fresh and await rows.count_waiting(ctx.db, merchant_id, MOST_WAITING + 1) > MOST_WAITING:
        raise TooManyWaiting(limit=MOST_WAITING)
    work = [(_lane(kind, picture_id), {"picture_id": picture_id}) for picture_id in fresh]
    await jobs.enqueue_all(ctx, merchant_id, FETCH, work)
    return await rows.hold(ctx.db, merchant_id, kind, sources)


def _lane(kind: Kind, picture_id: str) -> str:
    return f"{FETCH}:{VIDEO if kind == VIDEO else int(picture_id[-2:], 16) % LANES}"


async def note_use(ctx: MerchantCtx, product_id: str, picture_ids: Collection[str]) -> None:
    """Let a product show these pictures as soon as they are there."""
    if picture_ids:
        await rows.insert_uses(ctx.db, ctx.actor.id, product_id, sorted(set(picture_ids)))


# -- what workers do


async def find_waiting(ctx: Ctx, job: Job) -> Picture | None:
    """The picture that a job is to fetch; None where there is nothing left to do."""
    found = await rows.find(ctx.db, job.account_id, job.arguments["picture_id"])
    return found if found is not None and found.state == WAITING else None


async def note_stored(ctx: Ctx, job: Job, kept: Kept) -> Settled | None:
    """Note that a picture is here, under a name with the fence of the job; None where it was settled before."""
    picture_id = job.arguments["picture_id"]
    name = f"{stem_of(picture_id, job.fence)}.{kept.extension}"
    source = await rows.mark_stored(ctx.db, job.account_id, picture_id, name, kept, ctx.now)
    if source is None:
        return None
    return Settled(source, path_of(name), await rows.take_uses(ctx.db, job.account_id, picture_id))


async def note_failed(ctx: Ctx, job: Job, reason: str) -> Settled | None:
    """Note that a picture will not come, and tell the merchant; None where it was settled before."""
    picture_id = job.arguments["picture_id"]
    found = await rows.mark_failed(ctx.db, job.account_id, picture_id, reason, ctx.now)
    if found is None:
        return None
    kind, source = found
    product_ids = await rows.take_uses(ctx.db, job.account_id, picture_id)
    about: dict[str, Any] = {"kind": kind, "url": source, "reason": reason, "product_ids": product_ids}
    await inbox.notify(ctx, job.account_id, FAILED_TOPIC, about)
    return Settled(source, None, product_ids)


DONE: Final = Advance(position=1, done=True, processed=1)
"""A picture is one step, whatever became of it."""


# -- uploads


async def upload_picture(ctx: MerchantCtx, data: bytes) -> str:
    """Keep a picture that a merchant sends for two weeks; gives its path.

    Raises PictureUnreadable, PictureTooSmall, PictureTooLarge.
    """
    expires_at = ctx.now + KEPT
    picture_id = ctx.new_id()
    stem = upload_stem(picture_id, expires_at)
    try:
        kept = await ctx.studio.keep_upload(stem, data)
    except Unusable as unusable:
        match unusable.reason:
            case "too_small":
                raise PictureTooSmall(least=LEAST_SIDE) from None
            case "too_large":
                raise PictureTooLarge(limit=MOST_MEGAPIXELS) from None
        raise PictureUnreadable from None
    name = f"uploads/{stem}.{kept.extension}"
    await rows.insert_upload(ctx.db, ctx.actor.id, picture_id, path_of(name), name, kept, ctx.now, expires_at)
    return path_of(name)


async def expired_uploads(ctx: Ctx) -> list[tuple[str, str, str]]:
    """Merchant, id and stem of uploads whose time is over."""
    found = await rows.expired_uploads(ctx.db, ctx.now, SWEPT_AT_ONCE)
    return [(merchant_id, picture_id, upload_stem(picture_id, over)) for merchant_id, picture_id, over in found]


async def forget_upload(ctx: Ctx, merchant_id: str, picture_id: str) -> None:
    """Note that an upload is gone."""
    await rows.delete(ctx.db, merchant_id, picture_id)

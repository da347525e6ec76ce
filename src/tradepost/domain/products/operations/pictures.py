"""Which pictures a product has: those that are here, and those that it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tradepost.domain import pictures
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.pictures import NO_PICTURE, VIDEO, Settled, Taken
from tradepost.domain.products import failures
from tradepost.domain.products.product import Gallery
from tradepost.domain.products.rows import pictures as rows
from tradepost.values import NOT_GIVEN, NotGiven


async def settle_picture(ctx: Ctx, merchant_id: str, settled: Settled) -> None:
    """Let the products that waited for a picture show it or, where it will not come, wait no longer."""
    if not settled.product_ids:
        return
    await rows.lock_all(ctx.db, merchant_id, settled.product_ids)
    if settled.path is None:
        await rows.give_up(ctx.db, merchant_id, settled.product_ids, settled.source, ctx.now)
    else:
        await rows.show(ctx.db, merchant_id, settled.product_ids, settled.source, settled.path, ctx.now)


async def find_gallery(ctx: MerchantCtx, product_id: str) -> Gallery:
    """The pictures of a product of the acting merchant, removed or not; raises ProductNotFound."""
    found = await rows.gallery(ctx.db, ctx.actor.id, product_id)
    if found is None:
        raise failures.ProductNotFound(id=product_id)
    return found


class Named:
    """The pictures and the video that a call names, as far as they were given."""

    def __init__(self, images: Taken, video: Taken) -> None:
        self._images = images
        self._video = video

    @property
    def waiting(self) -> list[str]:
        """The ids of those that are not there yet."""
        return [*self._images.waiting.values(), *self._video.waiting.values()]

    def image(self, given: str | NotGiven) -> str:
        """What stands for a picture in a list."""
        return self._images.reference(str(given))

    def video(self, given: str | NotGiven) -> str:
        """What stands for a video."""
        return self._video.reference(str(given))

    def columns(self, given: str | NotGiven) -> dict[str, str | None]:
        """What stands for the one picture of a product or variation: it is shown, or only wanted for now."""
        if self._images.is_here(str(given)):
            return {"main_image": self.image(given), "wanted_image": None}
        return {"wanted_image": self.image(given)}


async def name_pictures(ctx: MerchantCtx, attributes: object) -> Named:
    """Find or ask for the pictures among what was given of a product or variation.

    Before any product is locked: `domain.pictures` says why. The placeholder of a product without a picture is
    passed over, because connectors send back what they read. Raises PictureUnknown, PictureExpired, TooManyWaiting.
    """

    def given(name: str) -> Any:
        value = getattr(attributes, name, NOT_GIVEN)
        return None if value is NOT_GIVEN else value

    images = [image for image in (given("main_image"), given("clean_image")) if image != NO_PICTURE]
    images += given("extra_images") or ()
    video = given("demo_video_asset_url")
    return Named(
        await pictures.take_pictures(ctx, [image for image in images if image]),
        await pictures.take_pictures(ctx, [video] if video else [], VIDEO),
    )


def is_change(columns: Mapping[str, str | None], shown: str, wanted: str | None) -> bool:
    """Whether a picture that was given is another one than is shown, or wanted already."""
    return columns.get("main_image", columns["wanted_image"]) not in (shown, wanted)

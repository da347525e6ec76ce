"""The file of a catalogue as a spreadsheet reads it, and who may have it."""

from __future__ import annotations

import csv
import io
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support.market import MERCHANT_URL, NOW, Market, World
from tradepost.domain import access, downloads, jobs, merchants, outbox, products
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.downloads import DownloadNotFound, Export, Exported, LinkExpired, LinkKeys
from tradepost.domain.downloads.link import LIFETIME, Link
from tradepost.domain.jobs import Job
from tradepost.domain.products import (
    CatalogueFilter,
    NewProduct,
    NewVariation,
    ProductChanges,
    ProductRef,
    VariationChanges,
)
from tradepost.domain.warehouses import WarehouseNotFound

KEYS = LinkKeys([b"a key of at least thirty-two bytes"])
RING = ProductRef(parent_sku="ring")
EVERYTHING = CatalogueFilter()
COLUMNS = [
    "Product ID", "Parent SKU", "Name", "Variation ID", "Enabled", "SKU", "Color", "Size", "Price",
    "Localized Price", "Localized Currency Code", "Shipping", "Localized Shipping", "MSRP", "Localized MSRP",
    "Warehouse",
    "Inventory", "Shipping Time", "Removed By Wish", "Review Status", "Tags", "Description", "Condition",
    "Main Image", "Variation Image", "Extra Images", "Clean Image", "UPC", "Brand ID", "Landing Page URL",
    "Number Sold", "Number Saves", "Date Uploaded", "Last Updated",
]  # fmt: skip


@dataclass
class Shop:
    """A merchant, and the worker that makes his files."""

    ctx: MerchantCtx

    async def claimed(self, wanted: CatalogueFilter = EVERYTHING, ctx: MerchantCtx | None = None) -> Job:
        """Ask for a download and take its job."""
        await downloads.start_product_download(ctx or self.ctx, wanted)
        job = await jobs.claim_next(self.ctx, 1, [downloads.PRODUCTS])
        assert job is not None
        return job

    async def export(self, job: Job) -> tuple[bytes, Exported]:
        """Make the file of a job."""
        pieces: list[bytes] = []

        async def write(piece: bytes) -> None:
            pieces.append(piece)

        ctx: Any = self.ctx
        exported = await Export(job, MERCHANT_URL, write).run(ctx, ctx.db)
        return b"".join(pieces), exported

    async def finished(self, wanted: CatalogueFilter = EVERYTHING, ctx: MerchantCtx | None = None) -> Job:
        """A download that is done."""
        job = await self.claimed(wanted, ctx)
        _, exported = await self.export(job)
        return await jobs.advance(
            self.ctx, jobs.claim_of(job), await downloads.finish_download(self.ctx, job, exported)
        )

    async def rows(self, **wanted: Any) -> list[dict[str, str]]:
        """The lines of a file below its header, after looking whether all that is told of it agrees."""
        job = await self.claimed(CatalogueFilter(**wanted))
        raw, exported = await self.export(job)
        await jobs.cancel_job(self.ctx, self.ctx.actor.id, downloads.PRODUCTS, job.id)
        found = list(csv.DictReader(io.StringIO(raw.decode("utf-8"), newline="")))
        assert (exported.lines, exported.size) == (len(found), len(raw))
        assert exported.key == downloads.key_of(self.ctx.actor.id, job.id, job.fence, job.kind)
        return found

    async def skus(self, **wanted: Any) -> list[str]:
        """The SKUs of a file in their order."""
        return [row["SKU"] for row in await self.rows(**wanted)]

    async def link(self, job: Job) -> Link:
        """What the link to a finished download says."""
        path = downloads.link_path(KEYS, job)
        assert path is not None
        name, _, query = path.removeprefix("/downloads/").partition("?")
        link = KEYS.read(name, dict(part.split("=") for part in query.split("&")))
        assert link is not None
        return link


Scene = Callable[[Shop], Awaitable[None]]
Play = Callable[..., None]


@pytest.fixture
def play(market: Market) -> Play:
    """Runs one scene in a shop, the one that is paid in US dollars if nothing is said."""

    def run(scene: Scene, who: str = "usd") -> None:
        async def within(ctx: Ctx) -> None:
            await ctx.db.execute("delete from job")
            await ctx.db.execute("select pg_advisory_xact_lock(7403, 1)")
            await scene(Shop(await merchants.act_for(ctx, market.world.merchants[who].account_id)))

        market.operate(within)

    return run


def new_product(sku: str, **more: Any) -> NewProduct:
    asked: dict[str, Any] = {
        "name": "n",
        "description": "d",
        "inventory": 1,
        "price": Decimal(1),
        "shipping": Decimal(1),
        "main_image": "https://pictures.example/a.jpg",
    }
    return NewProduct(sku=sku, **asked | more)


# -- the file


def test_columns_and_lines(play: Play) -> None:
    """Programs take the product's id from column 0 and the SKU from column 5."""

    async def scene(shop: Shop) -> None:
        raw, _ = await shop.export(await shop.claimed())
        lines = raw.decode("utf-8").split("\r\n")
        assert lines[0].split(",") == COLUMNS
        assert (COLUMNS[0], COLUMNS[5]) == ("Product ID", "SKU")
        assert (len(lines), lines[-1], raw.count(b"\n")) == (6, "", 5)
        rows = list(csv.reader(io.StringIO(raw.decode("utf-8"), newline="")))
        assert {len(row) for row in rows} == {len(COLUMNS)}
        ring = await products.find_product(shop.ctx, RING)
        assert [row[5] for row in rows if row[0] == ring.id] == ["ring-green", "ring-blue", "ring-red"]

    play(scene)


def test_what_a_line_says(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        ring = await products.find_product(shop.ctx, RING)
        green, _, red = [row for row in await shop.rows() if row["Product ID"] == ring.id]
        assert green == {
            "Product ID": ring.id,
            "Parent SKU": "ring",
            "Name": "Cute Ring",
            "Variation ID": ring.variations[0].id,
            "Enabled": "True",
            "SKU": "ring-green",
            "Color": "green",
            "Size": "",
            "Price": "110.9",
            "Localized Price": "110.9",
            "Localized Currency Code": "USD",
            "Shipping": "10.5",
            "Localized Shipping": "10.5",
            "MSRP": "113.9",
            "Localized MSRP": "113.9",
            "Warehouse": "STANDARD",
            "Inventory": "11",
            "Shipping Time": "5-10",
            "Removed By Wish": "False",
            "Review Status": "approved",
            "Tags": "womens ring,Jewelry,Bow",
            "Description": "A ring with a bow.",
            "Condition": "NEW",
            "Main Image": MERCHANT_URL + ring.main_image,
            "Variation Image": "",
            "Extra Images": MERCHANT_URL + ring.extra_images[0],
            "Clean Image": MERCHANT_URL + ring.main_image,
            "UPC": "12345678",
            "Brand ID": "5a0a0a0a0a0a0a0a0a0a0a0a",
            "Landing Page URL": "https://shop.example/ring",
            "Number Sold": "0",
            "Number Saves": "0",
            "Date Uploaded": "05-19-2021",
            "Last Updated": "05-19-2021T09:00:00",
        }
        assert (red["Price"], red["Size"], red["Inventory"], red["MSRP"]) == ("15.9", "7.5", "100", "")

    play(scene)


def test_a_merchant_who_is_not_paid_in_dollars(play: Play) -> None:
    """Every amount in US dollars reads 999999 and what there is not stays empty, as in the answers."""

    async def scene(shop: Shop) -> None:
        assert {row["Shipping"] for row in await shop.rows(warehouse="EXPRESS-US")} == {""}
        (green,) = [row for row in await shop.rows() if row["SKU"] == "ring-green"]
        assert (green["Price"], green["Shipping"], green["MSRP"]) == ("999999",) * 3
        assert (green["Localized Price"], green["Localized Shipping"]) == ("776.3", "73.5")
        assert green["Localized Currency Code"] == "CNY"

    play(scene, "cny")


@pytest.mark.parametrize("mark", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"], ids=repr)
def test_formulas_are_texts(play: Play, mark: str) -> None:
    """In every column that holds what somebody typed; an apostrophe keeps a spreadsheet from computing it."""
    evil = f"{mark}1+HYPERLINK(1)"

    async def scene(shop: Shop) -> None:
        await products.add_product(
            shop.ctx,
            new_product(
                evil,
                name=evil,
                description=evil,
                tags=(evil, "b"),
                color=evil,
                size=evil,
                requested_product_brand_id=evil,
            ),
        )
        (found,) = [row for row in await shop.rows() if row["SKU"].endswith(evil)]
        columns = ("Parent SKU", "Name", "SKU", "Color", "Size", "Description", "Brand ID")
        assert {name: found[name] for name in columns} == dict.fromkeys(columns, "'" + evil)
        assert found["Tags"] == f"'{evil},b"

    play(scene)


@pytest.mark.parametrize(
    "text",
    [
        'a "quoted" word',
        "a, b",
        "two\nlines",
        "two\r\nlines",
        "戒指 💍",
        "1=1",
        "\\.",
        " = ",
        "'=1",
        '"',
        "é\u200d",
    ],
    ids=repr,
)
def test_texts_survive(play: Play, text: str) -> None:
    async def scene(shop: Shop) -> None:
        await products.add_product(shop.ctx, new_product("s", name=text, description=text + "\n", color=text))
        (found,) = [row for row in await shop.rows() if row["SKU"] == "s"]
        assert (found["Name"], found["Description"], found["Color"]) == (text, text + "\n", text)

    play(scene)


def test_which_products_are_in_it(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        ring = await products.find_product(shop.ctx, RING)
        scarf = await products.find_product(shop.ctx, ProductRef(parent_sku="scarf"))
        noon = NOW.replace(hour=12, minute=0)
        assert await shop.skus(since=noon) == ["scarf"]
        assert await shop.skus(since=noon + timedelta(seconds=1)) == []
        rings = ["ring-green", "ring-blue", "ring-red"]
        ascending = [*rings, "scarf"] if ring.id < scarf.id else ["scarf", *rings]
        descending = ["scarf", *rings] if ring.id < scarf.id else [*rings, "scarf"]
        assert await shop.skus(descending=False) == ascending
        assert await shop.skus() == descending
        # As many products as asked for, whole ones.
        assert await shop.skus(limit=1) == (["scarf"] if descending[0] == "scarf" else rings)
        assert await shop.skus(limit=2) == descending
        await products.review_product(shop.ctx, scarf.id, "rejected")
        assert await shop.skus() == rings
        assert sorted(await shop.skus(show_rejected=True)) == sorted(descending)
        await products.remove_product(shop.ctx, RING)
        assert await shop.skus(show_rejected=True) == ["scarf"]

    play(scene)


def test_variations_follow_their_positions(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        added = NewVariation(parent_sku="ring", sku="aaa", color="first", inventory=1, price=Decimal(1))
        await products.add_variation(shop.ctx, added)
        assert [sku for sku in await shop.skus() if sku != "scarf"] == [
            "ring-green",
            "ring-blue",
            "ring-red",
            "aaa",
        ]

    play(scene)


def test_another_warehouse(play: Play) -> None:
    """Stock and shipping are those of the warehouse; what it never had is none."""

    async def scene(shop: Shop) -> None:
        await products.update_inventory(shop.ctx, "ring-red", 5, "EXPRESS-US")
        rows = {row["SKU"]: row for row in await shop.rows(warehouse="EXPRESS-US")}
        assert {sku: row["Inventory"] for sku, row in rows.items()} == {
            "ring-green": "0",
            "ring-blue": "0",
            "ring-red": "5",
            "scarf": "0",
        }
        assert {row["Warehouse"] for row in rows.values()} == {"EXPRESS-US"}
        assert {row["Shipping"] for row in rows.values()} == {""}
        with pytest.raises(WarehouseNotFound):
            await downloads.start_product_download(shop.ctx, CatalogueFilter(warehouse="EXPRESS-XX"))

    play(scene)


def test_switched_off_and_taken_down(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        await products.update_variation(shop.ctx, "ring-blue", VariationChanges(enabled=False))
        await products.take_down_variation(shop.ctx, "ring-red")
        rows = {row["SKU"]: (row["Enabled"], row["Removed By Wish"]) for row in await shop.rows()}
        assert (rows["ring-blue"], rows["ring-red"]) == (("False", "False"), ("False", "True"))

    play(scene)


def test_an_empty_catalogue_has_a_header(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        for parent_sku in ("ring", "scarf"):
            await products.remove_product(shop.ctx, ProductRef(parent_sku=parent_sku))
        raw, exported = await shop.export(await shop.claimed())
        assert raw.decode("utf-8") == ",".join(COLUMNS) + "\r\n"
        assert exported.lines == 0

    play(scene)


def test_how_far_it_is(play: Play) -> None:
    """Lines are counted as they are written, out of a total that is known from the beginning."""

    async def scene(shop: Shop) -> None:
        long = "x" * 40_000  # so that the file comes in pieces
        for number in range(6):
            await products.add_product(shop.ctx, new_product(f"s{number}", description=long))
        told: list[tuple[int, int | None]] = []

        async def write(piece: bytes) -> None:
            told.append((export.written, export.total))

        ctx: Any = shop.ctx
        export = Export(await shop.claimed(), MERCHANT_URL, write)
        assert (export.written, export.total) == (0, None)
        exported = await export.run(ctx, ctx.db)
        assert len(told) > 1
        assert told == sorted(told)
        assert {total for _, total in told} == {10}
        assert (export.written, exported.lines) == (10, 10)

    play(scene)


# -- the job


def test_every_wish_survives_the_queue(play: Play) -> None:
    """What was asked for is what the worker finds: a moment with its zone, and things left out."""

    async def scene(shop: Shop) -> None:
        since = datetime.fromisoformat("2021-05-19T12:00:00.123456+08:00")
        for wanted in (
            CatalogueFilter(since, 3, False, True, "EXPRESS-US"),
            CatalogueFilter(warehouse="EXPRESS-US"),
        ):
            job = await shop.claimed(wanted)
            found = await shop.export(job)
            await jobs.cancel_job(shop.ctx, shop.ctx.actor.id, downloads.PRODUCTS, job.id)
            assert found[1].lines == len(await shop.rows(**{n: getattr(wanted, n) for n in wanted.__slots__}))

    play(scene)


def test_a_finished_download_is_told_once(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        job = await shop.claimed()
        assert downloads.link_path(KEYS, job) is None
        await jobs.note_progress(shop.ctx, jobs.claim_of(job), 3, 4)
        half = await downloads.find_download(shop.ctx, job.id)
        assert (half.processed, half.total) == (3, 4)
        _, exported = await shop.export(job)
        step = await downloads.finish_download(shop.ctx, half, exported)
        done = await jobs.advance(shop.ctx, jobs.claim_of(job), step)
        assert (done.state, done.processed, done.total) == (jobs.FINISHED, 4, 4)
        assert done.result == {"version": 1, "size": exported.size}
        events = await shop.ctx.db.fetch("select topic, about from event where account_id = $1", done.account_id)
        assert (
            sum(event["topic"] == downloads.READY_TOPICS[0] and job.id in event["about"] for event in events) == 1
        )
        assert await jobs.claim_next(shop.ctx, 1, [outbox.TELL]) is not None

    play(scene)


def test_a_cancelled_download_has_no_link(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        job = await shop.claimed()
        assert await downloads.cancel_download(shop.ctx, job.id) == jobs.RUNNING
        assert await downloads.cancel_download(shop.ctx, job.id) == jobs.CANCELLED
        assert downloads.link_path(KEYS, await downloads.find_download(shop.ctx, job.id)) is None

    play(scene)


# -- the link


def test_a_link_opens_the_file_that_was_committed(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        job = await shop.finished()
        link = await shop.link(job)
        file = await downloads.open_link(shop.ctx, link)
        assert job.result is not None
        assert (file.key, file.size) == (downloads.key_of(job.account_id, job.id, 1, job.kind), job.result["size"])
        assert file.name == f"{job.account_id}-{job.id}-{job.ended_at:%Y-%m-%d-%H-%M-%S}.csv"
        with pytest.raises(DownloadNotFound):
            await downloads.open_link(shop.ctx, replace(link, version=2))
        with pytest.raises(DownloadNotFound):
            await downloads.open_link(shop.ctx, replace(link, job_id="f" * 24))

    play(scene)


def test_the_moment_it_expires(play: Play) -> None:
    """To the second in which it says so; whether the file is still there makes no difference to the answer."""

    async def scene(shop: Shop) -> None:
        job = await shop.finished()
        link = await shop.link(job)
        assert link.expires_at == NOW + LIFETIME
        await downloads.open_link(replace(shop.ctx, now=link.expires_at - timedelta(microseconds=1)), link)
        late = replace(shop.ctx, now=link.expires_at)
        with pytest.raises(LinkExpired) as caught:
            await downloads.open_link(late, link)
        assert caught.value.hours == 72
        assert await downloads.list_expired(late) == []
        later = replace(shop.ctx, now=link.expires_at + timedelta(seconds=1))
        assert await downloads.list_expired(later) == [(job.account_id, job.id)]
        await downloads.forget_file(later, job.account_id, job.id)
        assert await downloads.list_expired(later) == []
        assert downloads.link_path(KEYS, await downloads.find_download(shop.ctx, job.id)) is None
        with pytest.raises(LinkExpired):
            await downloads.open_link(later, link)
        with pytest.raises(DownloadNotFound):  # a clock that was put back finds no file
            await downloads.open_link(shop.ctx, link)

    play(scene)


def test_a_link_goes_with_the_token_that_asked(play: Play, world: World) -> None:
    async def scene(shop: Shop) -> None:
        token_id = await shop.ctx.db.fetchval(
            "select id from access_token where account_id = $1 and revoked_at is null", shop.ctx.actor.id
        )
        link = await shop.link(await shop.finished(ctx=replace(shop.ctx, token_id=token_id)))
        await downloads.open_link(shop.ctx, link)
        await access.revoke_token(shop.ctx, world.merchants["usd"].access_token)
        with pytest.raises(DownloadNotFound):
            await downloads.open_link(shop.ctx, link)

    play(scene)


def test_a_link_of_a_job_of_another_kind_opens_nothing(play: Play) -> None:
    async def scene(shop: Shop) -> None:
        link = await shop.link(await shop.finished())
        await shop.ctx.db.execute("update job set kind = 'bulk_update'")
        with pytest.raises(DownloadNotFound):
            await downloads.open_link(shop.ctx, link)

    play(scene)


def test_changes_after_the_end_are_not_in_it(play: Play) -> None:
    """The file is of one moment; another one has to be asked for."""

    async def scene(shop: Shop) -> None:
        job = await shop.claimed()
        before, _ = await shop.export(job)
        await products.update_product(shop.ctx, RING, ProductChanges(name="Other"))
        after, _ = await shop.export(job)
        assert b"Cute Ring" in before
        assert b"Cute Ring" not in after

    play(scene)

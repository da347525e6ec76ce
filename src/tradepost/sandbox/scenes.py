"""Scenes: states of the world, built through domain operations like everything else.

The same scenes stand in the sandbox, in the tests and behind the examples of the reference. Ids come from a
seed and times from the context, so a scene is the same each time it is built.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tradepost.domain import access, inbox, infractions, merchants, parcels, products, shipping, tickets
from tradepost.domain.context import Ctx, Merchant, MerchantCtx
from tradepost.domain.inbox import Feature, NewAnnouncement
from tradepost.domain.infractions import NewInfraction, Proof
from tradepost.domain.products import ListFilter, NewProduct, NewVariation
from tradepost.domain.tickets import Buyer, NewReply, NewTicket
from tradepost.sandbox.cast import Sender, Shopkeeper
from tradepost.values import Page

COLORS = ("red", "blue", "green", "black", "white", "yellow")
SIZES = ("S", "M", "L")

# name, category, tags, price in US dollars
GOODS = (
    ("Paper Lantern", "Home", "lantern,paper,light,garden party", "7.90"),
    ("Cute Ring", "Fashion", "womens ring,Jewelry,Bow", "4.90"),
    ("Wool Scarf", "Fashion", "scarf,wool,Fashion Accessories", "14.50"),
    ("Canvas Shoe", "Fashion", "shoe,canvas,summer", "24.00"),
    ("Glass Bottle", "Kitchen", "bottle,Glass,water", "9.99"),
    ("Phone Case", "Gadgets", "phone case,protection", "3.49"),
    ("Bamboo Lamp", "Home", "lamp,bamboo,desk", "31.00"),
    ("Rain Jacket", "Outdoor", "jacket,rain,hiking", "49.95"),
    ("Tea Pot", "Kitchen", "tea,pot,ceramic", "18.20"),
    ("Wooden Train", "Toys", "train,wood,children", "22.75"),
    ("Garden Glove", "Garden", "gloves,garden,work", "5.60"),
    ("Travel Mug", "Kitchen", "mug,travel,steel", "12.30"),
    ("Yoga Mat", "Sports", "yoga,mat,fitness", "19.99"),
    ("Wall Clock", "Home", "clock,wall,quiet", "27.40"),
)


def seeded_ids(seed: int) -> Callable[[], str]:
    """Ids that are random to look at and the same for the same seed."""
    source = random.Random(seed)
    return lambda: f"{source.getrandbits(96):024x}"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a caller of the cast needs: his account, his app, and one token with all its scopes."""

    account_id: str
    client_id: str
    client_secret: str
    access_token: str


@dataclass(frozen=True, slots=True)
class Secrets:
    """Secrets chosen beforehand, so that they outlive a reset."""

    password: str
    client_secret: str
    access_token: str


def new_secrets() -> Secrets:
    """Secrets that nobody has had before."""
    return Secrets(access.new_secret()[-16:], access.new_secret(), access.new_token())


async def open_shop(ctx: Ctx, keeper: Shopkeeper, scopes: Sequence[str], secrets: Secrets) -> Grant:
    """A shop of the cast with its warehouses, its own app and a token."""
    new = merchants.NewMerchant(
        keeper.name, keeper.email, secrets.password, keeper.currency, keeper.paid_in, keeper.locale
    )
    merchant_id = await merchants.add_merchant(ctx, new)
    await shipping.open_warehouse(ctx, merchant_id, keeper.express_country)
    return await _grant(ctx, "merchant", merchant_id, f"{keeper.name}: own app", scopes, secrets)


async def open_sender(ctx: Ctx, sender: Sender, scopes: Sequence[str], secrets: Secrets) -> Grant:
    """A user of the logistics service with an app and a token."""
    new = parcels.NewShipper(sender.name, sender.email, secrets.password, sender.locale)
    account_id = await parcels.add_shipper(ctx, new)
    return await _grant(ctx, "wishpost", account_id, f"{sender.name}: own app", scopes, secrets)


async def _grant(
    ctx: Ctx, service: str, account_id: str, app_name: str, scopes: Sequence[str], secrets: Secrets
) -> Grant:
    own = access.NewApp(app_name, ("https://app.example/callback",), account_id)
    app_id, secret = await access.add_app(ctx, service, own, secrets.client_secret)
    token = await access.issue_token(ctx, service, account_id, app_id, scopes, token=secrets.access_token)
    return Grant(account_id, app_id, secret, token)


async def stock_shop(ctx: Ctx, merchant_id: str, keeper: Shopkeeper, count: int, seed: int) -> None:
    """A catalogue of `count` products with 1 to 12 variations each, changed over the last weeks."""
    acting = await merchants.act_for(ctx, merchant_id)
    source = random.Random(seed)
    for number in range(count):
        age = timedelta(hours=source.randrange(1, 40) + (count - number) * 24)
        await _add_goods(replace(acting, now=ctx.now - age), keeper, number, source)


async def _add_goods(ctx: MerchantCtx, keeper: Shopkeeper, number: int, source: random.Random) -> None:
    name, category, tags, dollars = GOODS[number % len(GOODS)]
    parent_sku = f"{name.lower().replace(' ', '-')}-{number + 1}"
    price = Decimal(dollars)
    picture = f"https://pictures.example/{parent_sku}"
    many = 1 + source.randrange(12)
    first = _look(0)
    added = await products.add_product(
        ctx,
        NewProduct(
            name=name,
            description=f"{name}, made with care.\nShips within three days.",
            sku=f"{parent_sku}-1",
            parent_sku=parent_sku,
            inventory=source.randrange(500),
            price=price,
            shipping=Decimal("2.50"),
            main_image=f"{picture}.jpg",
            extra_images=(f"{picture}-back.jpg", f"{picture}-box.jpg"),
            tags=tuple(tags.split(",")),
            condition="NEW",
            msrp=price * 2,
            country_shipping_prices=_country_prices(ctx.actor, keeper),
            **first,
            **_localized(ctx.actor, keeper, price=price, shipping=Decimal("2.50"), msrp=price * 2),
        ),
    )
    for position in range(1, many):
        await products.add_variation(
            ctx,
            NewVariation(
                parent_sku=parent_sku,
                sku=f"{parent_sku}-{position + 1}",
                inventory=source.randrange(500),
                price=price + position,
                **_look(position),
                **_localized(ctx.actor, keeper, price=price + position),
            ),
        )
    if number % 5 < 4:  # the others wait for its review
        await products.review_product(ctx, added.id, "approved", category, (category,))


def _look(position: int) -> dict[str, Any]:
    return {"color": COLORS[position % len(COLORS)], "size": SIZES[position // len(COLORS)]}


def _localized(merchant: Merchant, keeper: Shopkeeper, **amounts: Decimal) -> dict[str, Any]:
    if merchant.currency == "USD":
        return {}
    own: dict[str, Any] = {f"localized_{name}": amount * keeper.rate for name, amount in amounts.items()}
    return {**own, "localized_currency_code": merchant.currency}


def _country_prices(merchant: Merchant, keeper: Shopkeeper) -> Any:
    prices = {"US": Decimal("3.99"), "CA": Decimal("4.99")}
    if merchant.currency == "USD":
        return prices
    return prices | {f"LOCAL_{country}": price * keeper.rate for country, price in prices.items()}


async def publish_news(ctx: Ctx) -> None:
    """A system update and an announcement to every shop."""
    news = Feature(
        title="Shipping prices for single countries and regions",
        body="Each of your products can have a shipping price of its own for a country or a region now.",
        link="",
        cn_title="可按国家和地区设置运费",
        cn_body="现在您的每个产品都可以按国家或地区设置各自的运费。",
        cn_link="",
        categories=("LOGISTICS_PRICING", "PRODUCTS"),
    )
    await inbox.publish_update(replace(ctx, now=ctx.now - timedelta(days=3)), [news])
    talk = NewAnnouncement(
        "Welcome", "I look after your shop. Write to me whenever you like.", ctx.new_id(), "Tracy"
    )
    await inbox.announce(replace(ctx, now=ctx.now - timedelta(days=2)), talk)


async def issue_warning(ctx: Ctx, merchant_id: str) -> None:
    """An infraction of a shop, with a product as its proof."""
    acting = await merchants.act_for(replace(ctx, now=ctx.now - timedelta(days=1)), merchant_id)
    (product, *_), _ = await products.list_products(acting, ListFilter(None, None, True), Page(0, 1), None)
    new = NewInfraction(
        reason="The main picture shows more than what is for sale",
        extra_reason="Misleading picture",
        fine=Decimal(10),
        proofs=[Proof("product", product.id)],
    )
    await infractions.issue_infraction(acting, new)


async def ask_something(ctx: Ctx, merchant_id: str) -> None:
    """A ticket of a buyer who has not bought anything yet, with its translations."""
    acting = await merchants.act_for(replace(ctx, now=ctx.now - timedelta(hours=5)), merchant_id)
    (product, *_), _ = await products.list_products(acting, ListFilter(None, None, True), Page(0, 1), None)
    buyer = Buyer(ctx.new_id(), "Rosa", ctx.now - timedelta(days=400), "pt")
    first = NewReply(
        message="Quanto tempo demora a entrega?",
        message_en="How long does delivery take?",
        message_zh="送货需要多长时间？",
    )
    new = NewTicket(
        kind="pre_purchase",
        buyer=buyer,
        subject="Prazo de entrega",
        label="Shipping Status or ETA Inquiry",
        product_ids=[product.id],
        first=first,
    )
    await tickets.open_ticket(acting, new)


# CNY for a parcel and for its kg, by the otype
_TARIFF = {
    "5001-1": ("12.00", "88.00"),
    "0": ("8.00", "70.00"),
    "1": ("15.00", "76.00"),
    "200-1": ("11.50", "82.00"),
}
# otype, names, registered, handover warehouses, paid from the balance only, battery, kinds of goods, door pickup
_CHANNELS: tuple[tuple[str, str, str, bool, tuple[str, ...], bool, bool, tuple[int, ...], dict[str, str]], ...] = (
    ("5001-1", "Wish达", "WishExpress Parcel", True, (), True, True, (0, 1, 2), {"25-1": "4PX", "42-0": "Yanwen"}),
    ("0", "中国邮政平邮", "China Post Ordinary Small Packet", False, ("1", "2", "3", "4"), False, False, (0,), {}),
    ("1", "中国邮政挂号", "China Post Registered Air Mail", True, ("1", "2", "3", "4"), False, False, (0,), {}),
    ("200-1", "A+物流计划", "Advanced Logistics", True, (), True, True, (0, 1), {"27-1": "WISE"}),
)


async def open_channels(ctx: Ctx) -> None:
    """The ways to send a parcel in the sandbox."""
    for otype, name, name_en, registered, at, balance_only, battery, kinds, pickup in _CHANNELS:
        channel = parcels.Channel(
            otype=otype,
            channel_name=name,
            channel_name_en=name_en,
            is_registered=registered,
            support_warehouses=bool(at),
            warehouses=at,
            is_only_online_payment=balance_only,
            allow_battery=battery,
            sensitivity_types=kinds,
            pickup_services=tuple(parcels.PickupService(*service) for service in pickup.items()),
            fee=Decimal(_TARIFF[otype][0]),
            fee_per_kg=Decimal(_TARIFF[otype][1]),
        )
        await parcels.set_channel(ctx, channel)

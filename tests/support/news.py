"""What the merchants of the world are told: an announcement, two system updates, a message, four infractions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import chain, count

from tests.support.calls import INFRACTIONS, MANAGER, NOTIFICATIONS, RINGS
from tradepost.domain import inbox, infractions
from tradepost.domain.context import Ctx, MerchantCtx
from tradepost.domain.inbox import Feature, NewAnnouncement
from tradepost.domain.infractions import NewInfraction, Proof

ORDER = "60a4d0c80000000000000001"

FEATURES = (
    Feature(
        title="New Feature About Updating Shipping Prices Per Product",
        body="You can set shipping prices per product now.",
        link="https://faq.example/en/shipping",
        cn_title="关于更新每个产品运费的新功能",
        cn_body="您现在可以给每个产品设置不同运费了。",
        cn_link="https://faq.example/zh/shipping",
        categories=("LOGISTICS_PRICING", "ORDERS", "PRODUCTS"),
        program="ADVANCED_LOGISTICS",
    ),
    Feature(
        title="Prepare sufficient Express inventory",
        body="We expect an increased demand in January and February.",
        link="https://faq.example/en/express",
        cn_title="请准备充足的 Express 库存",
        cn_body="我们预计一月和二月的需求会增加。",
        cn_link="https://faq.example/zh/express",
        categories=("LOGISTICS",),
        important=True,
        action="Please plan for your inventory to arrive by January 10, 2022",
        cn_action="请为您的库存计划在2022年1月10日前到达。",
        action_at=datetime.fromisoformat("2022-01-10T12:00:00+00:00"),
    ),
)


def given_ids(*ids: str, then: str) -> Callable[[], str]:
    """Ids that are known beforehand, and after them some that begin alike."""
    following = chain(ids, (f"{then}{number:08x}" for number in count(1)))
    return lambda: next(following)


async def publish_updates(ctx: Ctx) -> None:
    """Two system updates on two days; the later one is important."""
    for number, feature in enumerate(FEATURES, start=1):
        ids = given_ids(f"60a4d0c6{number:016x}", then=f"60a4d0c6{number:08x}")
        at = ctx.now - timedelta(days=30 // number)
        await inbox.publish_update(replace(ctx, new_id=ids, now=at), [feature])


async def tell_news(ctx: MerchantCtx, who: str) -> None:
    """Everything else that a shop is told, one thing a minute."""
    own = f"60a4d0c9{NOTIFICATIONS[who][-6:]}"
    new = NewAnnouncement(
        "A webinar about shipping", "Join us on Friday.\nSee you there!", MANAGER, "Tracy Example"
    )
    announced = replace(ctx, new_id=given_ids(then=f"{own}0a"), now=ctx.now - timedelta(minutes=9))
    await inbox.announce(announced, new, [ctx.actor.id])
    told = replace(ctx, new_id=given_ids(NOTIFICATIONS[who], then=f"{own}0b"), now=ctx.now - timedelta(minutes=8))
    await inbox.send_message(told, "Welcome", "Your shop is open.", "https://shop.example/welcome")
    for number, new_infraction in enumerate(infractions_of(who)):
        ids = given_ids(INFRACTIONS[who][number], then=f"{own}1{number}")
        then = replace(ctx, new_id=ids, now=ctx.now - timedelta(minutes=7 - number))
        await infractions.issue_infraction(then, new_infraction)
        if number > 0:
            await infractions.answer_infraction(then, INFRACTIONS[who][number], "merchant", "It was a mistake.")
    later = replace(ctx, new_id=given_ids(then=f"{own}20"))
    await infractions.close_infraction(later, INFRACTIONS[who][2])
    text = "Please send us the certificate."
    await infractions.answer_infraction(later, INFRACTIONS[who][3], "marketplace", text)


def infractions_of(who: str) -> tuple[NewInfraction, ...]:
    """One that is new, one that waits for the marketplace, one to be closed, one to be answered."""
    return (
        NewInfraction(cause=infractions.LATE_FULFILLMENT, proofs=[Proof("order", ORDER)]),
        NewInfraction(reason="Misleading listing", proofs=[Proof("product", RINGS[who][0], "The size is wrong.")]),
        NewInfraction(reason="Counterfeit goods", fine=Decimal(500)),
        NewInfraction(
            reason="Inappropriate content detected for product listing",
            extra_reason="Weapon",
            fine=Decimal(10),
            proofs=[Proof("product", RINGS[who][0]), Proof("variation", RINGS[who][1])],
        ),
    )

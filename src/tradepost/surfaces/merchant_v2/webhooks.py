"""Chapter *Webhook*: being told what happens in a shop, instead of asking for it.

What is sent, and how to tell that it is ours: docs/webhooks.md. Subscriptions are those of real traffic (facts,
section 7); deliveries and their attempts are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Final

from msgspec import UNSET, Struct, UnsetType

from tradepost.domain import webhooks
from tradepost.domain.context import MerchantCtx
from tradepost.domain.webhooks import BY_NAME, TOPICS
from tradepost.domain.webhooks import failures as f
from tradepost.surfaces.merchant_v2 import vocabulary as v
from tradepost.surfaces.merchant_v2.surface import api
from tradepost.values import Page
from tradepost.wire.paging import Listing
from tradepost.wire.params import Choice, Doc, LookedUp, WebUrl, Whole

BASE: Final = "/api/v3/webhook"
MOST_OVERLAP_HOURS: Final = 168

SubscriptionId = Annotated[str, v.AnyId(), Doc("The id of one of your subscriptions.")]
DeliveryId = Annotated[str, v.AnyId(), Doc("The id of a delivery, which its message has as `webhook-id`.")]
Endpoint = Annotated[
    str, WebUrl(), Doc("Where messages are sent: an https URL of the public internet, without a user in it.")
]


class Topic(Struct):
    """Something to be told about."""

    id: str
    topic_name: str
    api_version: str


class Subscription(Struct):
    """Where you want to be told about a topic. `status` is ACTIVE or INACTIVE.

    `former_secret_until` is there while messages are signed with a secret that was replaced, too.
    """

    id: str
    topic_id: str
    endpoint: str
    status: str
    former_secret_until: str | UnsetType


class NewSubscription(Subscription):
    """A subscription whose secret was just made. `secret` signs its messages; it is never shown again."""

    secret: str


class Delivery(Struct):
    """Something that you were told or will be. `status` is PENDING, DELIVERED or FAILED.

    `next_attempt_at` is there while it is pending.
    """

    id: str
    subscription_id: str
    status: str
    attempt_count: int
    created_at: str
    next_attempt_at: str | UnsetType


class AttemptLine(Struct):
    """What came of sending: `http_status` of the answer, or in `error` why there was none.

    `error` is timeout, tls or unreachable. `duration` is in milliseconds.
    """

    number: int
    attempted_at: str
    duration: int
    http_status: int | UnsetType
    error: str | UnsetType


class DeliveryDetails(Delivery):
    """A delivery with what was sent, letter by letter, and all attempts, the first one first."""

    topic_name: str
    body: str
    attempts: list[AttemptLine]


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of a subscription."""

    status: Annotated[str, Choice(("ACTIVE",)), Doc("`ACTIVE`, to be told again.")] | None = None
    endpoint: (
        Annotated[str, WebUrl(), Doc("Where messages are sent from now on; only while it is not active.")] | None
    ) = None

    one_of: ClassVar[tuple[str, str]] = ("status", "endpoint")


@api.read(f"{BASE}/topics", scope="webhook:read", exact=True)
async def list_topics(ctx: MerchantCtx) -> list[Topic]:
    """List webhook topics."""
    return [Topic(topic.id, topic.name, webhooks.API_VERSION) for topic in TOPICS]


@api.read(f"{BASE}/subscriptions", scope="webhook:read", exact=True)
async def list_subscriptions(ctx: MerchantCtx) -> list[Subscription]:
    """List webhook subscriptions.

    Those of your app to this merchant, the oldest first.
    """
    return [_told(ctx, found) for found in await webhooks.list_subscriptions(ctx)]


@api.write(
    f"{BASE}/subscriptions",
    scope="webhook:write",
    exact=True,
    fails=[f.TopicUnknown, f.EndpointRefused, f.AlreadySubscribed, f.TooManySubscriptions],
)
async def subscribe(
    ctx: MerchantCtx,
    *,
    topic_id: Annotated[str, LookedUp(64), Doc("The id of a topic.")],
    endpoint: Endpoint,
) -> NewSubscription:
    """Subscribe to a webhook topic.

    Your app is told what happens from now on. The answer has the secret that its messages are signed with.
    """
    made, secret = await webhooks.subscribe(ctx, topic_id, endpoint)
    return _with_secret(ctx, made, secret)


@api.read(f"{BASE}/subscriptions/{{id}}", scope="webhook:read", exact=True, fails=[f.SubscriptionNotFound])
async def get_subscription(ctx: MerchantCtx, *, id: SubscriptionId) -> Subscription:
    """Retrieve a webhook subscription."""
    return _told(ctx, await webhooks.find_subscription(ctx, id))


@api.write(
    f"{BASE}/subscriptions/{{id}}",
    scope="webhook:write",
    method="PUT",
    exact=True,
    fails=[f.SubscriptionNotFound, f.SubscriptionActive, f.EndpointRefused, f.AlreadySubscribed],
)
async def change_subscription(ctx: MerchantCtx, *, id: SubscriptionId, change: Change) -> Subscription:
    """Re-activate a webhook subscription, or let it lead elsewhere.

    What was waiting when it stopped is sent. What happened while it was not active is not.
    """
    activate = change.status is not None
    return _told(ctx, await webhooks.change_subscription(ctx, id, activate=activate, endpoint=change.endpoint))


@api.write(
    f"{BASE}/subscriptions/{{id}}",
    scope="webhook:write",
    method="DELETE",
    exact=True,
    empty=True,
    fails=[f.SubscriptionNotFound],
)
async def unsubscribe(ctx: MerchantCtx, *, id: SubscriptionId) -> None:
    """Delete a webhook subscription.

    With what was still to be sent and everything that was.
    """
    await webhooks.unsubscribe(ctx, id)


@api.write(f"{BASE}/secret", scope="webhook:write", exact=True, fails=[f.SubscriptionNotFound])
async def replace_secret(
    ctx: MerchantCtx,
    *,
    subscription_id: SubscriptionId,
    overlap_hours: Annotated[
        int,
        Whole(0, MOST_OVERLAP_HOURS),
        Doc("For how many hours the former secret signs, too, 0 to 168; with 0 no former secret does."),
    ] = 24,
) -> NewSubscription:
    """Replace the secret of a webhook subscription.

    Messages have a signature for each secret, so a receiver can change from one to the other at any time of the
    overlap. The answer has the new secret. Call it again where the answer was lost: the former ones go on.
    """
    made, secret = await webhooks.replace_secret(ctx, subscription_id, timedelta(hours=overlap_hours))
    return _with_secret(ctx, made, secret)


@api.write(
    f"{BASE}/former_secret",
    scope="webhook:write",
    method="DELETE",
    exact=True,
    empty=True,
    fails=[f.SubscriptionNotFound],
)
async def end_former_secret(ctx: MerchantCtx, *, subscription_id: SubscriptionId) -> None:
    """End the former secret of a webhook subscription.

    From now on messages are signed with the present one alone, also where they were so before.
    """
    await webhooks.end_overlap(ctx, subscription_id)


@api.read(f"{BASE}/deliveries", scope="webhook:read", exact=True, fails=[f.SubscriptionNotFound])
async def list_deliveries(
    ctx: MerchantCtx,
    *,
    subscription_id: SubscriptionId,
    start: v.Start = 0,
    limit: Annotated[int, Whole(1, 500), Doc("How many deliveries a page has, 1 to 500.")] = 50,
) -> Listing[Delivery]:
    """List webhook deliveries.

    What a subscription was told in the last 30 days, the latest first.
    """
    page = Page(start, limit)
    found, more = await webhooks.list_deliveries(ctx, subscription_id, page)
    return Listing([Delivery(*_common(delivery)) for delivery in found], page, more)


@api.read(f"{BASE}/deliveries/{{id}}", scope="webhook:read", exact=True, fails=[f.DeliveryNotFound])
async def get_delivery(ctx: MerchantCtx, *, id: DeliveryId) -> DeliveryDetails:
    """Retrieve a webhook delivery with its attempts."""
    return _details(await webhooks.find_delivery(ctx, id))


@api.write(
    f"{BASE}/redeliver", scope="webhook:write", exact=True, fails=[f.DeliveryNotFound, f.SubscriptionInactive]
)
async def redeliver(ctx: MerchantCtx, *, id: DeliveryId) -> DeliveryDetails:
    """Send a webhook delivery again.

    At once, with the same id and body, whatever became of it before; the schedule begins anew.
    """
    return _details(await webhooks.redeliver(ctx, id))


def _told(ctx: MerchantCtx, found: webhooks.Subscription) -> Subscription:
    return Subscription(*_fields(ctx, found))


def _with_secret(ctx: MerchantCtx, made: webhooks.Subscription, secret: str) -> NewSubscription:
    return NewSubscription(*_fields(ctx, made), secret)


def _fields(ctx: MerchantCtx, found: webhooks.Subscription) -> tuple[str, str, str, str, str | UnsetType]:
    end = found.overlap_end(ctx.now)
    status = "ACTIVE" if found.is_active else "INACTIVE"
    return found.id, BY_NAME[found.topic].id, found.endpoint, status, UNSET if end is None else _moment(end)


def _common(found: webhooks.Delivery) -> tuple[str, str, str, int, str, str | UnsetType]:
    return (
        found.id,
        found.subscription_id,
        found.state.upper(),
        found.attempts,
        _moment(found.created_at),
        UNSET if found.due_at is None else _moment(found.due_at),
    )


def _details(told: webhooks.DeliveryTold) -> DeliveryDetails:
    attempts = [
        AttemptLine(
            tried.number,
            _moment(tried.started_at),
            tried.milliseconds,
            UNSET if tried.status is None else tried.status,
            UNSET if tried.error is None else tried.error,
        )
        for tried in told.attempts
    ]
    return DeliveryDetails(*_common(told.delivery), told.topic, told.delivery.body, attempts)


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")

"""What can be wrong with subscriptions and deliveries."""

from __future__ import annotations

from tradepost.domain.failure import Failure


class TopicUnknown(Failure):
    """There is no such topic."""

    topic_id: str


class EndpointRefused(Failure):
    """Nothing is ever sent there: it is no https URL of the public internet, or none that the operator allows."""


class SubscriptionNotFound(Failure):
    """The app has no such subscription to this shop."""

    id: str


class AlreadySubscribed(Failure):
    """The app is told about this topic there already."""

    endpoint: str


class TooManySubscriptions(Failure):
    """The app has as many subscriptions to this shop as it can have."""

    limit: int


class SubscriptionActive(Failure):
    """Where an active subscription leads cannot be changed."""

    id: str


class SubscriptionInactive(Failure):
    """Nothing is sent for a subscription that is not active."""

    id: str


class DeliveryNotFound(Failure):
    """The app has no such delivery."""

    id: str

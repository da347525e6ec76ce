"""Secrets: signed as the published library reads it, and sealed so that nobody else opens them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tradepost.domain.webhooks import SealingKeys, SealUnknown, signature
from tradepost.domain.webhooks.secret import new_secret, shown

OLD, NEW = b"an old key that has been in use since", b"a new key that is going to take over"


def test_the_published_library_believes_us_and_nobody_else() -> None:
    secret, body = new_secret(), '{"type":"ORDER_ALL","data":{"name":"戒指"}}'
    now = datetime.now(UTC)  # the library looks at the machine's clock
    told = {"webhook-id": "a" * 24, "webhook-timestamp": str(int(now.timestamp()))}
    told["webhook-signature"] = signature(secret, "a" * 24, now, body)
    assert Webhook(shown(secret)).verify(body, told)["type"] == "ORDER_ALL"
    for headers, text, key in (
        (told, body + " ", secret),
        (told | {"webhook-id": "b" * 24}, body, secret),
        (told, body, new_secret()),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(shown(key)).verify(text, headers)


def test_a_sealed_secret_opens_for_its_owner_with_any_of_our_keys() -> None:
    secret = new_secret()
    sealed = SealingKeys([OLD]).seal(secret, "one")
    assert secret not in sealed
    assert SealingKeys([NEW, OLD]).open(sealed, "one") == secret
    assert SealingKeys([OLD]).seal(secret, "one") != sealed
    for keys, kept, owner in (
        (SealingKeys([NEW]), sealed, "one"),
        (SealingKeys([OLD]), sealed, "two"),
        (SealingKeys([OLD]), sealed[:-1] + bytes([sealed[-1] ^ 1]), "one"),
        (SealingKeys([OLD]), b"", "one"),
    ):
        with pytest.raises(SealUnknown):
            keys.open(kept, owner)

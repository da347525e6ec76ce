"""Secrets: signed as the published library reads it, and sealed so that nobody else opens them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from tradepost.domain.webhooks import SealingKeys, SealUnknown, Secrets, signatures
from tradepost.domain.webhooks.secret import new_secret, shown

OLD, NEW = b"an old key that has been in use since", b"a new key that is going to take over"


def test_the_published_library_believes_us_and_nobody_else() -> None:
    secret, body = new_secret(), '{"type":"ORDER_ALL","data":{"name":"戒指"}}'
    now = datetime.now(UTC)  # the library looks at the machine's clock
    told = {"webhook-id": "a" * 24, "webhook-timestamp": str(int(now.timestamp()))}
    told["webhook-signature"] = signatures([secret], "a" * 24, now, body)
    assert Webhook(shown(secret)).verify(body, told)["type"] == "ORDER_ALL"
    for headers, text, key in (
        (told, body + " ", secret),
        (told | {"webhook-id": "b" * 24}, body, secret),
        (told, body, new_secret()),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(shown(key)).verify(text, headers)


def test_with_two_signatures_either_secret_believes_and_no_third() -> None:
    old, new, body, now = new_secret(), new_secret(), "{}", datetime.now(UTC)
    told = {"webhook-id": "a" * 24, "webhook-timestamp": str(int(now.timestamp()))}
    told["webhook-signature"] = signatures([new, old], "a" * 24, now, body)
    assert [part[:3] for part in told["webhook-signature"].split(" ")] == ["v1,", "v1,"]
    for secret in (old, new):
        assert Webhook(shown(secret)).verify(body, told) == {}
    with pytest.raises(WebhookVerificationError):
        Webhook(shown(new_secret())).verify(body, told)


def test_a_secret_that_was_replaced_signs_until_its_time_is_over() -> None:
    day, at = timedelta(days=1), datetime(2021, 5, 19, tzinfo=UTC)
    secrets = Secrets(b"a").replaced(b"b", at, at + day)
    assert secrets.at(at) == [b"b", b"a"]
    assert secrets.at(at + day - timedelta(seconds=1)) == [b"b", b"a"]
    assert secrets.at(at + day) == [b"b"]
    # Whoever lost an answer asks again, and what his receivers know still signs: no longer than before.
    again = secrets.replaced(b"c", at + day / 2, at + 3 * day / 2)
    assert again.at(at + day / 2) == [b"c", b"b", b"a"]
    assert again.at(at + day) == [b"c", b"b"]
    assert again.replaced(b"d", at + day / 2, at + day / 2).at(at) == [b"d"]


def test_so_many_secrets_sign_at_the_same_time_and_no_more() -> None:
    at = datetime(2021, 5, 19, tzinfo=UTC)
    secrets = Secrets(b"0")
    for number in range(1, 8):
        secrets = secrets.replaced(str(number).encode(), at, at + timedelta(hours=1))
    assert secrets.at(at) == [b"7", b"6", b"5", b"4", b"3"]


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

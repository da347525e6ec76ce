"""What tests of the second wall know: rows for tables that are empty otherwise, and the few ways through it."""

from __future__ import annotations

from typing import Final

FILL_EMPTY_TABLES: Final = (
    "insert into notification (merchant_id, id, topic, about, created_at) "
    "select id, repeat('0', 24), 'x', '{}', now() from merchant",
    "insert into person_session (account_id, id, service, user_id, hash, created_at, used_at) "
    "select id, id, 'merchant', id, sha256(id::bytea), now(), now() from merchant",
    "insert into picture_use (merchant_id, picture_id, product_id) "
    "select merchant_id, min(i.id), min(p.id) from picture i join product p using (merchant_id) group by 1",
    "insert into request_log_tally (account_id, day, kept) select id, current_date, 1 from merchant "
    "on conflict do nothing",
    "insert into request_log (account_id, last_id, first_id, slot, calls, is_compressed, lines, said) "
    "select m.id, u, u, 1, 1, false, '', '' from merchant m, gen_random_uuid() u",
    "insert into sender_shop (account_id, shop_id, bound_at) "
    "select s.id, min(m.id), now() from shipper s cross join merchant m group by 1",
    "insert into sign_up (account_id, email, name, password_hash, currency, locale, created_at) "
    "select id, id || '@x.example', name, 'x', 'USD', 'en', now() from merchant",
    "insert into person_link (account_id, id, service, kind, hash, created_at, expires_at) "
    "select id, id, 'merchant', 'reset', sha256(id::bytea), now(), now() from merchant",
    "insert into token_use select id, id, '', '', id, '', '', false, now(), now(), current_date from merchant",
    "insert into person_factor select id, id, 'x', now() from merchant",
    "insert into recovery_code select id, id, sha256(id::bytea) from merchant",
)

GATES: Final = {
    "add_own_app",
    "admit",
    "admit_anybody",
    "app_of",
    "ask_verification",
    "bind_by",
    "change_own_app",
    "delete_own_app",
    "end_own_old_secret",
    "own_apps",
    "replace_own_secret",
    "bind_link",
    "follow_consent",
    "maker_of",
    "open_signed_up",
    "parcel_of_order",
    "person_of",
}
"""The functions that do for the application's role what it may not do by itself."""
SECRETS: Final = tuple(
    f"{name}_hash" for name in ("access_token", "consent_code", "person_link", "person_session", "refresh_token")
)
"""Unique keys that find an account by the hash of a secret."""

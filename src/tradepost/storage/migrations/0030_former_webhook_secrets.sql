-- Secrets of webhooks that were replaced and sign beside the present one for a while.

alter table webhook_subscription
    -- Sealed like the present one, the latest first, and until when each signs by the world's clock.
    add column former_secrets bytea[] not null default '{}',
    add column former_until timestamptz[] not null default '{}',
    add constraint webhook_subscription_former
        check (cardinality(former_secrets) = cardinality(former_until) and cardinality(former_secrets) <= 4);
create index webhook_subscription_former on webhook_subscription (merchant_id) where cardinality(former_until) > 0;

-- Tickets: what buyers ask or complain about, and who answers.

-- What a ticket is about are orders of one purchase, or products; orders are named and not held. Who asks is told by
-- the storefront that the ticket came from.
create table ticket (
    merchant_id text collate "C" not null references merchant (id),
    id text collate "C" not null check (length(id) = 24),
    kind text not null check (kind in ('post_purchase', 'customer_support', 'pre_purchase')),
    state text not null check (state in ('awaiting_merchant', 'awaiting_buyer', 'awaiting_support', 'closed')),
    subject text not null,
    label text not null,
    sublabel text not null,
    transaction_id text collate "C" check (length(transaction_id) = 24),
    order_ids text[] not null check (cardinality(order_ids) <= 100),
    product_ids text[] not null check (cardinality(product_ids) <= 100),
    refund_reason integer,
    buyer_id text collate "C" not null check (length(buyer_id) = 24),
    buyer_name text not null,
    buyer_joined_at timestamptz not null,
    buyer_locale text not null,
    opened_at timestamptz not null,
    updated_at timestamptz not null,
    -- The last time that it was closed; a ticket that was opened again keeps them.
    closed_at timestamptz check (state <> 'closed' or closed_at is not null),
    closed_by text check (closed_by in ('buyer', 'merchant', 'support', 'automatic')),
    primary key (merchant_id, id),
    check ((closed_at is null) = (closed_by is null)),
    check (case kind when 'pre_purchase' then product_ids <> '{}' else order_ids <> '{}' end)
) with (fillfactor = 80);
create index ticket_awaiting on ticket (merchant_id, kind, updated_at desc, id desc)
    where state = 'awaiting_merchant';
create index ticket_listed on ticket (merchant_id, updated_at desc, id desc);

create table ticket_reply (
    merchant_id text collate "C" not null,
    ticket_id text collate "C" not null,
    position integer not null check (position > 0),
    sender text not null check (sender in ('buyer', 'merchant', 'support', 'automatic')),
    message text not null,
    message_en text,
    message_zh text,
    pictures text[] not null check (cardinality(pictures) <= 10), -- names of files
    sent_at timestamptz not null,
    primary key (merchant_id, ticket_id, position),
    foreign key (merchant_id, ticket_id) references ticket (merchant_id, id)
);

do $$
declare
    bound text;
begin
    foreach bound in array array['ticket', 'ticket_reply']
    loop
        execute format('alter table %I enable row level security', bound);
        execute format('alter table %I force row level security', bound);
        execute format(
            'create policy own_account on %I to tradepost_app '
            'using (merchant_id = current_setting(''tradepost.account''))', bound);
        execute format('create policy every_account on %I to tradepost_platform using (true)', bound);
        execute format('grant select, insert, update, delete on %I to tradepost_app, tradepost_platform', bound);
    end loop;
end $$;

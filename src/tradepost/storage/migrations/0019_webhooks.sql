-- Webhooks: where apps want to be told what happens in a shop, what they are to be told, and how that went.

create table webhook_subscription (
    merchant_id text collate "C" not null references merchant (id),
    id text collate "C" not null check (length(id) = 24),
    app_id text collate "C" not null,
    topic text not null,
    endpoint text not null check (length(endpoint) between 1 and 2048),
    secret bytea not null, -- sealed; the key is not in the database
    is_active boolean not null default true,
    -- 'gone': the receiver said 410; 'failing': nothing arrived for days.
    stopped_because text check (stopped_because in ('gone', 'failing')),
    -- Attempts that went wrong since one went well, and since when.
    failures integer not null default 0 check (failures >= 0),
    failing_since timestamptz check ((failing_since is null) = (failures = 0)),
    -- By the world's clock: when the first of its deliveries is due, null where none is; and how long the receiver
    -- asked to be left alone.
    due_at timestamptz,
    not_before timestamptz,
    -- By the machine's: which worker has the queue in hand, and until when. The fence grows with every turn.
    worker integer,
    leased_until timestamptz,
    fence bigint not null default 0,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (merchant_id, id),
    check (stopped_because is null or not is_active)
);
create unique index webhook_subscription_once on webhook_subscription (merchant_id, app_id, topic, endpoint);
create index webhook_subscription_topic on webhook_subscription (merchant_id, topic) where is_active;
create index webhook_subscription_due on webhook_subscription (due_at) where is_active and due_at is not null;

-- Something to be told to one subscription. The body is kept as it is signed, so that it stays the same.
create table webhook_delivery (
    merchant_id text collate "C" not null,
    id text collate "C" not null check (length(id) = 24),
    subscription_id text collate "C" not null,
    body text not null check (length(body) <= 16384),
    state text not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
    attempts integer not null default 0, -- of all time, and
    round_attempts integer not null default 0, -- since it was sent again at somebody's word
    due_at timestamptz check ((due_at is null) = (state <> 'pending')),
    created_at timestamptz not null,
    ended_at timestamptz check ((ended_at is null) = (state = 'pending')),
    primary key (merchant_id, id),
    foreign key (merchant_id, subscription_id) references webhook_subscription (merchant_id, id) on delete cascade
);
create index webhook_delivery_due on webhook_delivery (merchant_id, subscription_id, due_at, id)
    where state = 'pending';
create index webhook_delivery_listed on webhook_delivery (merchant_id, subscription_id, created_at desc, id desc);
create index webhook_delivery_created on webhook_delivery (created_at);

create table webhook_attempt (
    merchant_id text collate "C" not null,
    delivery_id text collate "C" not null,
    number integer not null check (number > 0),
    started_at timestamptz not null,
    milliseconds integer not null check (milliseconds >= 0),
    status smallint check (status between 100 and 999), -- null where no answer came
    error text, -- a word of ours, and nothing of the answer
    primary key (merchant_id, delivery_id, number),
    foreign key (merchant_id, delivery_id) references webhook_delivery (merchant_id, id) on delete cascade
);

do $$
declare
    bound text;
begin
    foreach bound in array array['webhook_subscription', 'webhook_delivery', 'webhook_attempt'] loop
        execute format('alter table %I enable row level security', bound);
        execute format('alter table %I force row level security', bound);
        execute format(
            'create policy own_account on %I to tradepost_app '
            'using (merchant_id = current_setting(''tradepost.account''))', bound);
        execute format('create policy every_account on %I to tradepost_platform using (true)', bound);
        execute format('grant select, insert, update, delete on %I to tradepost_app, tradepost_platform', bound);
    end loop;
end $$;

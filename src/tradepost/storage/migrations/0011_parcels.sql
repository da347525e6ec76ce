-- Parcels of the logistics service, what carriers saw of them, and the money they cost.

-- What a channel costs in CNY, and the heaviest parcel that it takes, in kg.
alter table channel
    add column fee numeric(8, 2) not null default 10 check (fee >= 0),
    add column fee_per_kg numeric(8, 2) not null default 60 check (fee_per_kg >= 0),
    add column most_weight numeric(7, 3) not null default 2 check (most_weight > 0);

create table parcel (
    account_id text collate "C" not null references shipper (id),
    id text collate "C" not null check (id ~ '^[0-9a-f]{24}$'),
    wish_id text collate "C" not null,
    tracking_number text collate "C",
    guid text collate "C",
    otype text collate "C" not null references channel (otype),
    state text not null check (state in ('booked', 'refused', 'numbered', 'handed_over', 'in_transit', 'delivered',
                                         'returned', 'cancelled')),
    order_ids text[] not null,
    country text not null check (country ~ '^[A-Z]{2}$'),
    weight numeric(8, 3) not null check (weight > 0),
    fee numeric(10, 2) not null check (fee >= 0),
    -- Addresses and goods as they were booked: read and written as a whole, never searched.
    details jsonb not null,
    cancel_reason text,
    cancel_words text,
    refusal text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    numbered_at timestamptz,
    handed_over_at timestamptz,
    scanned_at timestamptz,
    ended_at timestamptz,
    primary key (account_id, id),
    unique (account_id, wish_id),
    unique (account_id, tracking_number),
    unique (account_id, guid),
    check ((tracking_number is null) = (numbered_at is null)),
    check ((cancel_reason is null) = (cancel_words is null))
) with (fillfactor = 80);
create index parcel_created on parcel (account_id, created_at, id);
create index parcel_in_state on parcel (account_id, state, created_at, id);

-- What a carrier saw. The same scan told twice is one.
create table scan (
    account_id text collate "C" not null,
    parcel_id text collate "C" not null,
    at timestamptz not null,
    status smallint not null check (status between 1 and 30),
    country text,
    province text,
    city text,
    remark text,
    primary key (account_id, parcel_id, at, status),
    foreign key (account_id, parcel_id) references parcel (account_id, id)
);

-- Each user has the same five accounts, whose balances sum to zero. How far a balance may go stands in its row.
create table ledger_account (
    account_id text collate "C" not null references shipper (id),
    name text collate "C" not null check (name in ('arrears', 'free', 'frozen', 'outside', 'spent')),
    balance numeric(14, 2) not null default 0,
    least numeric(14, 2),
    most numeric(14, 2),
    primary key (account_id, name),
    check (balance >= least),
    check (balance <= most)
) with (fillfactor = 60);

create sequence transfer_id;
grant usage on sequence transfer_id to tradepost_app, tradepost_platform;

-- Money moves by transfers, which are never changed: a mistake is mended by another transfer.
create table transfer (
    account_id text collate "C" not null references shipper (id),
    id bigint not null,
    kind text not null check (kind in ('deposit', 'freeze', 'release', 'charge', 'refund', 'late_charge')),
    parcel_id text collate "C",
    at timestamptz not null,
    primary key (account_id, id),
    foreign key (account_id, parcel_id) references parcel (account_id, id),
    check ((kind = 'deposit') = (parcel_id is null))
);
-- Whatever happens, each of these happens to a parcel once.
create unique index transfer_of_parcel on transfer (account_id, parcel_id, kind);
create index transfer_at on transfer (account_id, at, id);

create table entry (
    account_id text collate "C" not null,
    transfer_id bigint not null,
    name text collate "C" not null,
    amount numeric(14, 2) not null check (amount <> 0),
    primary key (account_id, transfer_id, name),
    foreign key (account_id, transfer_id) references transfer (account_id, id),
    foreign key (account_id, name) references ledger_account (account_id, name)
);

-- The entries of a transfer are written by one statement, and sum to zero.
create function entries_balance() returns trigger
language plpgsql as $$
begin
    if exists (select from fresh group by account_id, transfer_id having sum(amount) <> 0) then
        raise exception using errcode = 'check_violation', message = 'the entries of a transfer do not sum to zero';
    end if;
    return null;
end $$;
create trigger entries_balance after insert on entry referencing new table as fresh
    for each statement execute function entries_balance();

-- Users who are there already get their accounts, with no money in them and no credit.
insert into ledger_account (account_id, name, least, most)
select s.id, a.name, a.least, a.most
  from shipper s
 cross join (values ('arrears', null, 0), ('free', 0, null), ('frozen', 0, null), ('outside', null, 0),
                    ('spent', 0, null)) as a (name, least, most);

do $$
declare
    bound text;
begin
    foreach bound in array array['parcel', 'scan', 'ledger_account', 'transfer', 'entry']
    loop
        execute format('alter table %I enable row level security', bound);
        execute format('alter table %I force row level security', bound);
        execute format(
            'create policy own_account on %I to tradepost_app '
            'using (account_id = current_setting(''tradepost.account''))', bound);
        execute format('create policy every_account on %I to tradepost_platform using (true)', bound);
        execute format('grant select, insert on %I to tradepost_app, tradepost_platform', bound);
    end loop;
end $$;
grant update on parcel, ledger_account to tradepost_app, tradepost_platform;

-- News of the platform for everybody who sends parcels.
create table sender_news (
    id text collate "C" primary key check (id ~ '^[0-9a-f]{24}$'),
    title text not null,
    url text,
    words text[] not null,
    publish_time timestamptz not null,
    created_at timestamptz not null
);
create index sender_news_created on sender_news (created_at, id);
create index sender_news_published on sender_news (publish_time, id);
grant select on sender_news to tradepost_app;
grant select, insert, update, delete on sender_news to tradepost_platform;

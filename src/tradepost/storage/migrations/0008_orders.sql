-- Orders, what was refunded of them, and the parcels they travel in.
--
-- An order says by itself what was bought: the product may change or go, the order stays as it was placed. Amounts
-- are in the currency that the merchant is paid in, and what he gets of them is settled when the order is placed.

create table orders (
    merchant_id text collate "C" not null references merchant (id),
    id text collate "C" not null check (length(id) = 24),
    transaction_id text collate "C" not null check (length(transaction_id) = 24),
    buyer_id text collate "C" not null check (length(buyer_id) = 24),
    state text not null check (state in ('review', 'approved', 'shipped', 'refunded')),
    product_id text collate "C" not null,
    variation_id text collate "C" not null,
    warehouse_id text collate "C" not null,
    is_express boolean not null,
    is_combined boolean not null,
    needs_confirmation boolean not null, -- of delivery, by a carrier of the country's list
    vat_required boolean not null default false,
    sku text collate "C" not null,
    product_name text not null,
    picture text not null,
    color text,
    size text,
    quantity integer not null check (quantity between 1 and 500000),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    price numeric(13, 3) not null check (price between 0 and 9999999999),
    cost numeric(13, 3) not null check (cost between 0 and price),
    shipping numeric(13, 3) not null check (shipping between 0 and 9999999999),
    shipping_cost numeric(13, 3) not null check (shipping_cost between 0 and shipping),
    total numeric(19, 3) not null generated always as (quantity * (cost + shipping_cost)) stored,
    placed_at timestamptz not null,
    updated_at timestamptz not null check (updated_at >= placed_at),
    -- The merchant's clock runs from the release on; an order under review has none.
    released_at timestamptz check ((state = 'review') <= (released_at is null)),
    fulfil_by timestamptz check ((fulfil_by is null) = (released_at is null)),
    deliver_by timestamptz,
    recipient text not null,
    street_address1 text not null,
    street_address2 text,
    street_address3 text,
    city text not null,
    state_or_province text,
    zipcode text,
    country text not null check (country ~ '^[A-Z]{2}$'),
    phone_number text,
    original_address jsonb, -- where the buyer really is, if the parcel goes to a consolidation centre
    shipped_at timestamptz check ((state = 'shipped') <= (shipped_at is not null)),
    carrier text,
    tracking_number text collate "C",
    origin_country text check (origin_country ~ '^[A-Z]{2}$'),
    ship_note text,
    confirmed_at timestamptz, -- the carrier has seen the parcel
    delivered_at timestamptz,
    refunded_at timestamptz check ((state = 'refunded') = (refunded_at is not null)),
    refunded_by text check (refunded_by in ('customer', 'wish', 'merchant', 'wish_for_merchant')),
    fine_ids text[] not null default '{}',
    primary key (merchant_id, id),
    foreign key (merchant_id, product_id, variation_id) references variation (merchant_id, product_id, id),
    foreign key (merchant_id, warehouse_id) references warehouse (merchant_id, id)
) with (fillfactor = 90);

-- Lists are in the order of purchase. What they filter by stands in the index, so that a deep page costs entries.
create index orders_listed on orders (merchant_id, placed_at, id) include (updated_at, is_express);
create index orders_open on orders (merchant_id, placed_at, id) include (updated_at, is_express)
    where state = 'approved';
create index orders_changed on orders (merchant_id, updated_at, placed_at, id) include (is_express);
create index orders_due on orders (fulfil_by) where state = 'approved';
create index orders_transaction on orders (merchant_id, transaction_id);
create index orders_tracking on orders (merchant_id, upper(tracking_number)) where tracking_number is not null;

create table order_refund (
    merchant_id text collate "C" not null,
    order_id text collate "C" not null,
    number integer not null,
    refunded_at timestamptz not null,
    amount numeric(19, 3) not null check (amount >= 0),
    responsible_amount numeric(19, 3) not null check (responsible_amount >= 0),
    responsibility integer not null check (responsibility between 0 and 100), -- of the merchant, in percent
    reason_code integer,
    reason text not null,
    note text,
    primary key (merchant_id, order_id, number),
    foreign key (merchant_id, order_id) references orders (merchant_id, id)
);

-- A tracking number in capitals, and whose parcel it is: several orders may share it if they go to one recipient and
-- were released within some days.
create table parcel_tracking (
    merchant_id text collate "C" not null references merchant (id),
    number text collate "C" not null,
    recipient text not null,
    released_from timestamptz not null,
    released_to timestamptz not null,
    confirmed_at timestamptz,
    delivered_at timestamptz,
    primary key (merchant_id, number)
);

create table tracking_scan (
    merchant_id text collate "C" not null,
    id text collate "C" not null check (length(id) = 24),
    number text collate "C" not null,
    kind text not null check (kind in ('accepted', 'in_transit', 'out_for_delivery', 'delivered', 'returned')),
    scanned_at timestamptz not null,
    place text,
    recorded_at timestamptz not null,
    primary key (merchant_id, id),
    foreign key (merchant_id, number) references parcel_tracking (merchant_id, number)
);
create index tracking_scan_number on tracking_scan (merchant_id, number, scanned_at);

do $$
declare
    bound text;
begin
    foreach bound in array array['orders', 'order_refund', 'parcel_tracking', 'tracking_scan']
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

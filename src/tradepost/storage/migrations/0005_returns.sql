-- The returns programme: where parcels come back to, for which products, and how large these are.

-- An address that was changed is validated by a job, which writes down what it found only if the revision that it
-- was given is still the latest.
create table return_warehouse (
    merchant_id text collate "C" not null references merchant (id),
    id text collate "C" not null check (length(id) = 24),
    position smallint not null check (position > 0), -- the order they were created in
    region text collate "C" not null,
    name text,
    ship_to text not null,
    phone_number text,
    email text,
    street_address1 text not null,
    street_address2 text,
    city text not null,
    state text not null,
    zipcode text not null,
    country text not null check (country ~ '^[A-Z]{2}$'),
    address_state text not null default 'validating'
        check (address_state in ('validating', 'valid', 'suggested', 'invalid')),
    revision integer not null default 1,
    created_at timestamptz not null,
    primary key (merchant_id, id),
    unique (merchant_id, position),
    unique (merchant_id, id, region)
);

-- Where a product is returned to in a region. The setting stays when it is switched off.
create table return_setting (
    merchant_id text collate "C" not null,
    product_id text collate "C" not null,
    region text collate "C" not null,
    warehouse_id text collate "C" not null,
    is_active boolean not null,
    changed_at timestamptz not null,
    primary key (merchant_id, product_id, region),
    foreign key (merchant_id, product_id) references product (merchant_id, id),
    foreign key (merchant_id, warehouse_id, region) references return_warehouse (merchant_id, id, region)
);

-- The size of a product: it counts for each variation that says nothing of its own (`variation_logistics`).
create table product_dimensions (
    merchant_id text collate "C" not null,
    product_id text collate "C" not null,
    length numeric(12, 3) not null check (length > 0),
    width numeric(12, 3) not null check (width > 0),
    height numeric(12, 3) not null check (height > 0),
    weight numeric(12, 3) not null check (weight > 0),
    primary key (merchant_id, product_id),
    foreign key (merchant_id, product_id) references product (merchant_id, id)
);

do $$
declare
    bound text;
begin
    foreach bound in array array['return_warehouse', 'return_setting', 'product_dimensions']
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

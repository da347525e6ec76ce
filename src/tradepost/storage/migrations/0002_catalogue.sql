-- Warehouses, products and their variations, with stock and shipping per warehouse.
--
-- Every key begins with the merchant, so no row can point at another merchant's, and no unique or foreign key
-- tells anything about another shop. A removed product keeps its rows; what must be unique is unique among the
-- live ones, so that its SKUs can be used again.

create table warehouse (
    merchant_id text collate "C" not null references merchant (id),
    id text collate "C" not null check (length(id) = 24),
    name text collate "C" not null,
    kind smallint not null check (kind in (1, 2)), -- 1 standard shipping, 2 Express
    country text check ((kind = 2) = (country is not null)),
    created_at timestamptz not null,
    primary key (merchant_id, id),
    unique (merchant_id, name)
);

create table product (
    merchant_id text collate "C" not null references merchant (id),
    id text collate "C" not null check (length(id) = 24),
    parent_sku text collate "C" not null,
    name text not null,
    description text not null,
    category text,
    tags text[] not null default '{}',
    auto_tags text[] not null default '{}',
    review_status text not null default 'pending' check (review_status in ('pending', 'approved', 'rejected')),
    main_image text not null,
    original_image_url text not null,
    clean_image text,
    extra_images text[] not null default '{}',
    demo_video_asset_url text,
    landing_page_url text,
    upc text,
    requested_product_brand_id text,
    condition text,
    max_quantity integer check (max_quantity > 0),
    reference_value numeric(14, 4) check (reference_value between 0 and 9999999999),
    unit text,
    number_sold integer not null default 0,
    number_saves integer not null default 0,
    is_promoted boolean not null default false,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    removed_at timestamptz,
    primary key (merchant_id, id)
) with (fillfactor = 80);
create unique index product_parent_sku on product (merchant_id, parent_sku) where removed_at is null;
create index product_listed on product (merchant_id, updated_at desc, id desc)
    include (review_status) where removed_at is null;

create table product_shipping (
    merchant_id text collate "C" not null,
    product_id text collate "C" not null,
    warehouse_id text collate "C" not null,
    default_price numeric(6, 2) check (default_price between 0 and 1000),
    localized_default_price numeric(13, 3) check (localized_default_price between 0 and 9999999999),
    primary key (merchant_id, product_id, warehouse_id),
    foreign key (merchant_id, product_id) references product (merchant_id, id),
    foreign key (merchant_id, warehouse_id) references warehouse (merchant_id, id)
);

create table country_shipping (
    merchant_id text collate "C" not null,
    product_id text collate "C" not null,
    warehouse_id text collate "C" not null,
    country text not null check (country ~ '^[A-Z]{2}$'),
    price numeric(6, 2) check (price between 0 and 1000),
    localized_price numeric(13, 3) check (localized_price between 0 and 9999999999),
    primary key (merchant_id, product_id, warehouse_id, country),
    foreign key (merchant_id, product_id) references product (merchant_id, id),
    foreign key (merchant_id, warehouse_id) references warehouse (merchant_id, id)
);

create table variation (
    merchant_id text collate "C" not null,
    id text collate "C" not null check (length(id) = 24),
    product_id text collate "C" not null,
    position integer not null,
    sku text collate "C" not null,
    color text,
    size text,
    price numeric(8, 2) check (price between 0 and 100000),
    localized_price numeric(13, 3) check (localized_price between 0 and 9999999999),
    msrp numeric(12, 2) check (msrp between 0 and 9999999999),
    localized_msrp numeric(13, 3) check (localized_msrp between 0 and 9999999999),
    quantity_value numeric(14, 4) check (quantity_value between 0 and 9999999999),
    enabled boolean not null default true,
    removed_by_wish boolean not null default false check (not (enabled and removed_by_wish)),
    shipping_time text,
    main_image text,
    removed_at timestamptz,
    primary key (merchant_id, product_id, id),
    foreign key (merchant_id, product_id) references product (merchant_id, id)
) with (fillfactor = 90);
create unique index variation_sku on variation (merchant_id, sku) where removed_at is null;
create unique index variation_color_size
    on variation (merchant_id, product_id, lower(coalesce(color, '')), lower(coalesce(size, '')));
create unique index variation_position on variation (merchant_id, product_id, position);

-- Logistics and stock name the product, too, so that all of a product's lie side by side in their indexes.
create table variation_logistics (
    merchant_id text collate "C" not null,
    product_id text collate "C" not null,
    variation_id text collate "C" not null,
    length numeric(12, 3) check (length > 0),
    width numeric(12, 3) check (width > 0),
    height numeric(12, 3) check (height > 0),
    weight numeric(12, 3) check (weight > 0),
    declared_name text,
    declared_local_name text,
    pieces integer check (pieces > 0),
    declared_value numeric(8, 2) check (declared_value between 0 and 100000),
    hscode text,
    origin_country text,
    has_powder boolean,
    has_liquid boolean,
    has_battery boolean,
    has_metal boolean,
    primary key (merchant_id, product_id, variation_id),
    foreign key (merchant_id, product_id, variation_id) references variation (merchant_id, product_id, id)
);

-- What a variation has and costs to ship in one warehouse. A variation without a row there has no stock there.
create table stock (
    merchant_id text collate "C" not null,
    product_id text collate "C" not null,
    warehouse_id text collate "C" not null,
    variation_id text collate "C" not null,
    inventory integer not null check (inventory between 0 and 500000),
    shipping numeric(6, 2) check (shipping between 0 and 1000),
    localized_shipping numeric(13, 3) check (localized_shipping between 0 and 9999999999),
    primary key (merchant_id, product_id, warehouse_id, variation_id),
    foreign key (merchant_id, product_id, variation_id) references variation (merchant_id, product_id, id),
    foreign key (merchant_id, warehouse_id) references warehouse (merchant_id, id)
) with (fillfactor = 80);

do $$
declare
    bound text;
begin
    foreach bound in array array[
        'warehouse', 'product', 'product_shipping', 'country_shipping', 'variation', 'variation_logistics', 'stock'
    ]
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

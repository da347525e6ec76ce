-- Shipping by country and region: what merchants ship to, and what their products say of it.
--
-- A setting says that a merchant ships to a country from a warehouse; without one nothing about that country can
-- be said of a product there. A row of a product says only what was said of it: what it leaves open comes from
-- the product's default, then from the setting (docs/shipping.md).

create table shipping_setting (
    merchant_id text collate "C" not null,
    warehouse_id text collate "C" not null,
    country text collate "C" not null check (country ~ '^[A-Z]{2}$'),
    -- Where both are null, a variation's own shipping price counts.
    price numeric(6, 2) check (price between 0 and 1000),
    localized_price numeric(13, 3) check (localized_price between 0 and 9999999999),
    primary key (merchant_id, warehouse_id, country),
    foreign key (merchant_id, warehouse_id) references warehouse (merchant_id, id)
);

-- Whether a merchant ships everywhere at the prices of his variations, and so has no prices by country.
create table shipping_mode (
    merchant_id text collate "C" primary key references merchant (id),
    worldwide boolean not null
);

alter table country_shipping add column enabled boolean not null default true;
alter table country_shipping add column use_product boolean not null default false;
alter table country_shipping add check (not use_product or (price is null and localized_price is null));
alter table country_shipping alter column country type text collate "C";

-- Where both prices are null, the region's country says the price.
create table region_shipping (
    merchant_id text collate "C" not null,
    product_id text collate "C" not null,
    warehouse_id text collate "C" not null,
    region text collate "C" not null check (region ~ '^[A-Z]{2}_[A-Z0-9]{2,3}$'),
    price numeric(6, 2) check (price between 0 and 1000),
    localized_price numeric(13, 3) check (localized_price between 0 and 9999999999),
    enabled boolean not null,
    primary key (merchant_id, product_id, warehouse_id, region),
    foreign key (merchant_id, product_id) references product (merchant_id, id),
    foreign key (merchant_id, warehouse_id) references warehouse (merchant_id, id)
);

do $$
declare
    bound text;
begin
    foreach bound in array array['shipping_setting', 'shipping_mode', 'region_shipping']
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

-- Shops that are there already go on shipping to every country there is, as their products say. Row security is
-- forced, so only the platform's role sees them all.
do $$
declare
    before text := current_user;
begin
    set local role tradepost_platform;
    insert into shipping_setting (merchant_id, warehouse_id, country)
    select merchant_id, id, c
      from warehouse, unnest(string_to_array(
           'AD AL AR AT AU BA BE BG BR CA CH CL CO CR CZ DE DK EE ES FI FR GB GI GR HR HU IE IL IS IT '
           'JP KR LI LT LU LV MC MD ME MK MT MX NL NO NZ PE PL PR PT RO RS SE SG SI SK SM UA US VI ZA', ' ')) as c
     where kind = 1 or country = c;
    insert into shipping_mode (merchant_id, worldwide) select id, false from merchant;
    execute format('set local role %I', before);
end $$;

-- Pictures and videos that merchants name by URL, those they upload, and what merchants are told.
--
-- A product shows a picture by a path of ours ('/pictures/…'), '' where it has none to show yet. What it is to show
-- as soon as that is there stands beside it in `wanted_image`; in lists the URL itself stands in its place.

create table picture (
    merchant_id text collate "C" not null references merchant (id),
    id text collate "C" not null check (length(id) = 24),
    kind text not null check (kind in ('picture', 'video', 'upload')),
    -- Where it comes from: a URL, or the path of an upload. An upload itself has its own path here.
    source text collate "C" not null check (length(source) <= 2048),
    state text not null default 'waiting' check (state in ('waiting', 'stored', 'failed')),
    name text collate "C" check ((name is not null) = (state = 'stored')),
    width integer check (width > 0),
    height integer check (height > 0),
    size bigint check (size >= 0),
    reason text check ((reason is not null) = (state = 'failed')),
    created_at timestamptz not null,
    settled_at timestamptz check ((settled_at is null) = (state = 'waiting')),
    expires_at timestamptz check ((expires_at is not null) = (kind = 'upload')),
    primary key (merchant_id, id)
);
create unique index picture_source on picture (merchant_id, kind, source);
create unique index picture_name on picture (merchant_id, name) where name is not null;
create index picture_waiting on picture (merchant_id) where state = 'waiting';
create index picture_expiring on picture (expires_at) where expires_at is not null;

-- The products that a picture is waited for by.
create table picture_use (
    merchant_id text collate "C" not null,
    picture_id text collate "C" not null,
    product_id text collate "C" not null,
    primary key (merchant_id, picture_id, product_id),
    foreign key (merchant_id, picture_id) references picture (merchant_id, id) on delete cascade,
    foreign key (merchant_id, product_id) references product (merchant_id, id)
);
create index picture_use_product on picture_use (merchant_id, product_id);

alter table product add column wanted_image text;
alter table variation add column wanted_image text;

create table notification (
    merchant_id text collate "C" not null references merchant (id),
    id text collate "C" not null check (length(id) = 24),
    topic text not null,
    about jsonb not null,
    created_at timestamptz not null,
    viewed_at timestamptz,
    primary key (merchant_id, id)
);
create index notification_unviewed on notification (merchant_id, created_at, id) where viewed_at is null;

do $$
declare
    bound text;
begin
    foreach bound in array array['picture', 'picture_use', 'notification']
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

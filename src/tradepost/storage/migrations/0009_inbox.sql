-- What merchants are told beside notifications: announcements, system updates, and infractions with their fines.

-- What an account manager wrote to a merchant. It is a notification, too, of the same id: that one is viewed or not.
create table announcement (
    merchant_id text collate "C" not null,
    id text collate "C" not null,
    manager_id text collate "C" not null check (length(manager_id) = 24),
    manager_name text not null,
    title text not null,
    message text not null,
    created_at timestamptz not null,
    primary key (merchant_id, id),
    foreign key (merchant_id, id) references notification (merchant_id, id)
);
create index announcement_latest on announcement (merchant_id, created_at desc, id desc);

-- News about the marketplace itself, the same for every merchant.
create table system_update (
    id text collate "C" primary key check (length(id) = 24),
    released_at timestamptz not null
);
create index system_update_released on system_update (released_at desc, id desc);
create table system_update_feature (
    update_id text collate "C" not null references system_update (id),
    position smallint not null check (position > 0),
    title text not null,
    body text not null,
    link text not null,
    cn_title text not null,
    cn_body text not null,
    cn_link text not null,
    categories text[] not null check (cardinality(categories) <= 3),
    program text,
    important boolean not null,
    action text,
    cn_action text,
    action_at timestamptz,
    primary key (update_id, position)
);
grant select on system_update, system_update_feature to tradepost_app;
grant select, insert, update, delete on system_update, system_update_feature to tradepost_platform;

create table infraction (
    merchant_id text collate "C" not null references merchant (id),
    id text collate "C" not null check (length(id) = 24),
    state text not null check (state in ('new', 'awaiting_merchant', 'awaiting_admin', 'closed')),
    stage smallint not null
        generated always as (case state when 'closed' then 3 when 'awaiting_admin' then 2 else 1 end) stored,
    -- What the platform found by itself has a cause, whose words are elsewhere; an operator says his reason himself.
    cause text,
    reason text check ((cause is null) <> (reason is null)),
    extra_reason text,
    fine_amount numeric(13, 3) not null check (fine_amount between 0 and 9999999999),
    fine_currency text not null check (fine_currency ~ '^[A-Z]{3}$'),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (merchant_id, id)
);
create index infraction_listed on infraction (merchant_id, stage, updated_at desc, id desc);

-- What shows that it is so; a proof without a message of its own says what the infraction says.
create table infraction_proof (
    merchant_id text collate "C" not null,
    infraction_id text collate "C" not null,
    position smallint not null check (position > 0),
    kind text not null check (kind in ('ticket', 'order', 'product', 'merchant', 'rating', 'variation')),
    object_id text collate "C" not null check (length(object_id) = 24),
    message text,
    primary key (merchant_id, infraction_id, position),
    foreign key (merchant_id, infraction_id) references infraction (merchant_id, id)
);
create index infraction_proof_object on infraction_proof (merchant_id, object_id);

-- What both sides wrote about it.
create table infraction_message (
    merchant_id text collate "C" not null,
    infraction_id text collate "C" not null,
    position smallint not null check (position > 0),
    author text not null check (author in ('merchant', 'marketplace')),
    message text not null,
    sent_at timestamptz not null,
    primary key (merchant_id, infraction_id, position),
    foreign key (merchant_id, infraction_id) references infraction (merchant_id, id)
);

do $$
declare
    bound text;
begin
    foreach bound in array array[
        'announcement', 'infraction', 'infraction_proof', 'infraction_message'
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

-- Infractions have a scope of their own now. Who let an app see his notifications was told that they are among them.
-- Row security is forced, so only the platform's role sees all tokens.
do $$
declare
    before text := current_user;
begin
    set local role tradepost_platform;
    update access_token set scopes = scopes || '{infractions:read}'
     where service = 'merchant' and 'notifications:read' = any (scopes) and not 'infractions:read' = any (scopes);
    execute format('set local role %I', before);
end $$;

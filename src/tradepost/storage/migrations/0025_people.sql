-- People: signing up, links that are mailed to them, where they are signed in, and their second factors.

-- Where a session is used from, and when its person last showed a password or a code. One that `needs_code` opens
-- nothing but the page that asks for the code.
alter table person_session
    add column client text not null default '' check (length(client) <= 64),
    add column agent text not null default '' check (length(agent) <= 300),
    add column needs_code boolean not null default false,
    add column proved_at timestamptz;
create index person_session_person on person_session (account_id, user_id, used_at desc) where ended_at is null;
grant update (proved_at) on person_session to tradepost_app;

-- A shop that somebody asked for and whose mail was not confirmed yet; its id is the shop's to be.
create table sign_up (
    account_id text collate "C" primary key check (length(account_id) = 24),
    email text not null check (email = lower(email)),
    name text not null,
    password_hash text not null,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    locale text not null,
    created_at timestamptz not null
);
create index sign_up_created on sign_up (created_at);

-- A link that was mailed, kept as the hash of its secret. One for nobody's address leads nowhere.
create table person_link (
    account_id text collate "C" not null check (length(account_id) = 24),
    id text collate "C" not null check (length(id) = 24),
    service text not null check (service in ('merchant', 'wishpost')),
    kind text not null check (kind in ('sign_up', 'reset')),
    user_id text collate "C" check (length(user_id) = 24),
    hash bytea not null check (length(hash) = 32),
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    primary key (account_id, id)
);
create unique index person_link_hash on person_link (hash);
create index person_link_created on person_link (created_at);

-- The second factor of a person: the key of his codes, sealed, and the step of time whose code he used last.
create table person_factor (
    account_id text collate "C" not null check (length(account_id) = 24),
    user_id text collate "C" not null check (length(user_id) = 24),
    sealed bytea not null,
    created_at timestamptz not null,
    confirmed_at timestamptz, -- nothing is asked for before
    last_step bigint not null default 0,
    primary key (account_id, user_id)
);

create table recovery_code (
    account_id text collate "C" not null,
    user_id text collate "C" not null,
    hash bytea not null check (length(hash) = 32),
    used_at timestamptz,
    primary key (account_id, user_id, hash),
    foreign key (account_id, user_id) references person_factor (account_id, user_id) on delete cascade
);

do $$
declare
    bound text;
begin
    foreach bound in array array['sign_up', 'person_link', 'person_factor', 'recovery_code'] loop
        execute format('alter table %I enable row level security', bound);
        execute format('alter table %I force row level security', bound);
        execute format(
            'create policy own_account on %I to tradepost_app using (account_id = current_setting(''tradepost.account''))',
            bound);
        execute format('create policy every_account on %I to tradepost_platform using (true)', bound);
        execute format('create policy gate on %I for select to current_user using (true)', bound);
        execute format('grant select, insert on %I to tradepost_app', bound);
        execute format('grant select, insert, update, delete on %I to tradepost_platform', bound);
    end loop;
end $$;
grant update (used_at) on person_link, recovery_code to tradepost_app;
grant update (confirmed_at, last_step) on person_factor to tradepost_app;
grant delete on person_factor to tradepost_app;
grant update (password_hash) on merchant_user, shipper to tradepost_app;

-- What a letter says that the database may not know stands in it sealed, and is put in when it is sent.
alter table mail add column sealed bytea;

-- Whose a mailed link is, by its hash; binds the connection to the account until the end of the transaction, or to
-- nobody. What it is worth its own row tells.
create function bind_link(
    asked_service text, asked_kind text, secret_hash bytea, out account_id text, out link_id text, out at timestamptz
)
language plpgsql security definer set search_path = tradepost, pg_temp
as $$
#variable_conflict use_column
begin
    select l.account_id, l.id into account_id, link_id
      from person_link l where l.hash = secret_hash and l.service = asked_service and l.kind = asked_kind;
    at := world_now();
    perform set_config('tradepost.account', coalesce(account_id, ''), true);
end $$;

-- Opens the shop that the bound account was signed up for, with its first person, once its link was used. False where
-- somebody has the address by now.
create policy open_shop on merchant for insert to current_user with check (id = current_setting('tradepost.account'));
create policy open_shop on merchant_user for insert to current_user
    with check (merchant_id = current_setting('tradepost.account'));
create function open_signed_up(first_user text) returns boolean
language plpgsql security definer set search_path = tradepost, pg_temp
as $$
declare
    asked sign_up;
    now_here timestamptz := world_now();
begin
    select s.* into strict asked
      from sign_up s join person_link l on l.account_id = s.account_id and l.kind = 'sign_up'
     where s.account_id = current_setting('tradepost.account') and l.used_at is not null;
    insert into merchant (id, name, currency, payment_currency, locale, created_at)
    values (asked.account_id, asked.name, asked.currency, asked.currency, asked.locale, now_here);
    insert into merchant_user (merchant_id, id, email, name, password_hash, created_at)
    values (asked.account_id, first_user, asked.email, asked.name, asked.password_hash, now_here);
    return true;
exception when unique_violation then
    return false;
end $$;

revoke all on function bind_link, open_signed_up from public;
grant execute on function bind_link, open_signed_up to tradepost_app;

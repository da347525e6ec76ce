-- Roles, accounts, apps, tokens and the rate limiter.
--
-- Three roles share the database. The owner (whoever runs migrations) has the tables. tradepost_app serves
-- calls: it sees the rows of one account at a time, the one named by the setting tradepost.account, and an
-- unset account is an error, not everybody. tradepost_platform runs the operator's verbs and the worker: it
-- changes rows of every account and no table. Row-level security is forced, so the owner is bound by it too.

do $$
declare
    -- Since 16, who creates a role is its member and yet may not take it on; before, a member always may.
    needed text := case when current_setting('server_version_num')::int >= 160000 then 'set' else 'member' end;
begin
    if not exists (select from pg_roles where rolname = 'tradepost_app') then
        create role tradepost_app login;
    end if;
    if not exists (select from pg_roles where rolname = 'tradepost_platform') then
        create role tradepost_platform login;
    end if;
    -- So that one login can serve a small installation: it connects as itself and takes the role on.
    if not (pg_has_role('tradepost_app', needed) and pg_has_role('tradepost_platform', needed)) then
        execute format('grant tradepost_app, tradepost_platform to %I', current_user);
    end if;
    -- Temporary tables are nobody's business here. Only the owner of the database can say so.
    execute format('revoke temporary on database %I from public', current_database());
exception when insufficient_privilege then
    raise exception using
        errcode = 'insufficient_privilege',
        message = format('%s must own the database and have CREATEROLE, or be a member of tradepost_app and '
                         'tradepost_platform', current_user);
end $$;

grant usage on schema tradepost to tradepost_app, tradepost_platform;
grant select on schema_migration to tradepost_app, tradepost_platform;

-- The one place that says what time it is in this world. The sandbox moves it; nothing else does.
create table world_clock (
    single boolean primary key default true check (single),
    fixed_at timestamptz,
    shift interval not null default '0'
);
insert into world_clock default values;
grant select on world_clock to tradepost_app;
grant select, update on world_clock to tradepost_platform;

create function world_now() returns timestamptz
language sql stable parallel safe
begin atomic
    select coalesce(fixed_at, clock_timestamp() + shift) from world_clock;
end;

create table merchant (
    id text collate "C" primary key check (length(id) = 24),
    name text not null,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    payment_currency text not null check (payment_currency = 'USD' or payment_currency = currency),
    locale text not null default 'en',
    suspended_at timestamptz,
    created_at timestamptz not null
);

create table merchant_user (
    merchant_id text collate "C" not null references merchant (id),
    id text collate "C" not null check (length(id) = 24),
    email text not null check (email = lower(email)),
    name text not null,
    password_hash text not null,
    created_at timestamptz not null,
    primary key (merchant_id, id)
);
create unique index merchant_user_email on merchant_user (email);

create table shipper (
    id text collate "C" primary key check (length(id) = 24),
    name text not null,
    email text not null check (email = lower(email)),
    password_hash text not null,
    locale text not null default 'en',
    suspended_at timestamptz,
    created_at timestamptz not null
);
create unique index shipper_email on shipper (email);

create table app (
    service text not null check (service in ('merchant', 'wishpost')),
    id text collate "C" not null check (length(id) = 24),
    name text not null,
    secret_hash bytea not null,
    redirect_uri text,
    disabled_at timestamptz,
    created_at timestamptz not null,
    primary key (service, id)
);

create table access_token (
    service text not null,
    account_id text collate "C" not null check (length(account_id) = 24),
    id text collate "C" not null check (length(id) = 24),
    app_id text collate "C" not null,
    hash bytea not null check (length(hash) = 32),
    scopes text[] not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    primary key (account_id, id),
    foreign key (service, app_id) references app (service, id)
);
create unique index access_token_hash on access_token (hash);

-- One counter per key and window. Unlogged: a database crash empties it, which forgets one window at most.
create unlogged table rate_window (
    key text collate "C" primary key,
    started_at timestamptz not null,
    used integer not null
) with (fillfactor = 40, autovacuum_vacuum_scale_factor = 0.05);

do $$
declare
    bound record;
begin
    for bound in select * from (values
        ('merchant', 'id'), ('merchant_user', 'merchant_id'), ('shipper', 'id'), ('access_token', 'account_id')
    ) as t (table_name, account_column)
    loop
        execute format('alter table %I enable row level security', bound.table_name);
        execute format('alter table %I force row level security', bound.table_name);
        execute format(
            'create policy own_account on %I to tradepost_app using (%I = current_setting(''tradepost.account''))',
            bound.table_name, bound.account_column);
        execute format('create policy every_account on %I to tradepost_platform using (true)', bound.table_name);
        -- The functions below run as the owner, and read just what they name.
        execute format('create policy gate on %I for select to current_user using (true)', bound.table_name);
        execute format('grant select on %I to tradepost_app', bound.table_name);
        execute format('grant select, insert, update, delete on %I to tradepost_platform', bound.table_name);
    end loop;
end $$;

grant select, insert, update, delete on app to tradepost_platform;
grant select, delete on rate_window to tradepost_platform;

-- The gate, in one round trip: finds a token, judges it, counts the call and binds the connection to the account.
--
-- The verdict is ok, unknown, revoked, expired, suspended, scope or limited. Only ok binds the account; any
-- other verdict leaves the connection bound to none. Each limit is (level, key, limit, seconds); the one
-- named in `level` was exceeded, and `reset` is when its window ends. Windows follow the machine's clock, not
-- the world's: a limit protects the machine.
create function admit(
    asked_service text, token_hash bytea, asked_scope text,
    levels text[], keys text[], limits integer[], seconds integer[], caller text, agent text
) returns table (
    verdict text, account_id text, name text, currency text, payment_currency text, locale text,
    remaining integer, level text, reset timestamptz, at timestamptz
)
language plpgsql security definer set search_path = tradepost, pg_temp
as $$
#variable_conflict use_column
declare
    token record;
    counted record;
    asked_at timestamptz := clock_timestamp();
begin
    perform set_config('tradepost.account', '', false);
    at := world_now();
    select t.account_id, t.app_id, t.scopes, t.expires_at, t.revoked_at, a.disabled_at,
           coalesce(m.suspended_at, s.suspended_at) as suspended_at,
           coalesce(m.name, s.name) as name, coalesce(m.locale, s.locale) as locale,
           m.currency, m.payment_currency
      into token
      from access_token t
      join app a on a.service = t.service and a.id = t.app_id
      left join merchant m on t.service = 'merchant' and m.id = t.account_id
      left join shipper s on t.service = 'wishpost' and s.id = t.account_id
     where t.hash = token_hash and t.service = asked_service;
    if not found then
        verdict := 'unknown';
    elsif token.revoked_at is not null or token.disabled_at is not null then
        verdict := 'revoked';
    elsif token.expires_at <= at then
        verdict := 'expired';
    elsif token.suspended_at is not null then
        verdict := 'suspended';
    elsif asked_scope is not null and not asked_scope = any (token.scopes) then
        verdict := 'scope';
    else
        verdict := 'ok';
    end if;
    if verdict <> 'ok' then
        return next;
        return;
    end if;
    for counted in
        insert into rate_window as w (key, started_at, used)
        select l.key || case l.level
                   when 'app_user' then token.app_id || token.account_id
                   when 'user' then token.account_id
                   when 'app' then token.app_id
                   when 'ip' then caller
                   when 'ip_user' then caller || ' ' || token.account_id
                   when 'ip_agent' then caller || ' ' || md5(agent)
                   when 'ip_user_agent' then caller || ' ' || token.account_id || ' ' || md5(agent)
                   when 'ip_app' then caller || ' ' || token.app_id
               end,
               date_bin(make_interval(secs => l.seconds), asked_at, '1970-01-01 00:00+00'), 1
          from unnest(levels, keys, limits, seconds) as l (level, key, most, seconds)
         order by 1
        on conflict (key) do update set
            used = case when w.started_at < excluded.started_at then 1 else w.used + 1 end,
            started_at = greatest(w.started_at, excluded.started_at)
        returning w.key, w.started_at, w.used
    loop
        select l.most - counted.used, l.level, counted.started_at + make_interval(secs => l.seconds)
          into counted.used, counted.key, counted.started_at
          from unnest(levels, keys, limits, seconds) as l (level, key, most, seconds)
         where starts_with(counted.key, l.key);
        if remaining is null or counted.used < remaining then
            remaining := counted.used;
            level := counted.key;
            reset := counted.started_at;
        end if;
    end loop;
    if remaining < 0 then
        verdict := 'limited';
        remaining := 0;
        return next;
        return;
    end if;
    account_id := token.account_id;
    name := token.name;
    currency := token.currency;
    payment_currency := token.payment_currency;
    locale := token.locale;
    perform set_config('tradepost.account', token.account_id, false);
    return next;
end $$;

revoke all on function admit from public;
grant execute on function admit to tradepost_app;

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
-- other verdict leaves the connection bound to none. The limits come as four arrays of one length; of several
-- that are exceeded the tightest is named in `level`, and `reset` is when its window ends. Windows follow the
-- machine's clock, not the world's: a limit protects the machine.
create function admit(
    asked_service text, token_hash bytea, asked_scope text,
    levels text[], keys text[], limits integer[], seconds integer[], caller text, agent text,
    out verdict text, out account_id text, out name text, out currency text, out payment_currency text,
    out locale text, out remaining integer, out level text, out reset timestamptz, out at timestamptz
)
language plpgsql security definer set search_path = tradepost, pg_temp
as $$
#variable_conflict use_column
declare
    token record;
    counted record;
    n integer;
    asked_at timestamptz := clock_timestamp();
    epoch constant timestamptz := '1970-01-01 00:00+00';
begin
    if asked_service = 'merchant' then
        select t.account_id, t.app_id, t.scopes, t.expires_at, t.revoked_at, a.disabled_at, m.suspended_at,
               m.name, m.locale, m.currency, m.payment_currency, coalesce(c.fixed_at, asked_at + c.shift) as at
          into token
          from access_token t
          join app a on a.service = t.service and a.id = t.app_id
          join merchant m on m.id = t.account_id
         cross join world_clock c
         where t.hash = token_hash and t.service = asked_service;
    else
        select t.account_id, t.app_id, t.scopes, t.expires_at, t.revoked_at, a.disabled_at, s.suspended_at,
               s.name, s.locale, null as currency, null as payment_currency,
               coalesce(c.fixed_at, asked_at + c.shift) as at
          into token
          from access_token t
          join app a on a.service = t.service and a.id = t.app_id
          join shipper s on s.id = t.account_id
         cross join world_clock c
         where t.hash = token_hash and t.service = asked_service;
    end if;
    verdict := case
        when token.account_id is null then 'unknown'
        when token.revoked_at is not null or token.disabled_at is not null then 'revoked'
        when token.expires_at <= token.at then 'expired'
        when token.suspended_at is not null then 'suspended'
        when asked_scope is not null and not asked_scope = any (token.scopes) then 'scope'
        else 'ok'
    end;
    if verdict = 'ok' then
        for n in 1 .. cardinality(keys) loop
            keys[n] := keys[n] || case levels[n]
                when 'app_user' then token.app_id || token.account_id
                when 'user' then token.account_id
                when 'app' then token.app_id
                when 'ip' then caller
                when 'ip_user' then caller || ' ' || token.account_id
                when 'ip_agent' then caller || ' ' || md5(agent)
                when 'ip_user_agent' then caller || ' ' || token.account_id || ' ' || md5(agent)
                when 'ip_app' then caller || ' ' || token.app_id
            end;
        end loop;
        if cardinality(keys) = 1 then
            -- The usual case by itself: the general one below takes ten times as long.
            insert into rate_window as w (key, started_at, used)
            values (keys[1], date_bin(make_interval(secs => seconds[1]), asked_at, epoch), 1)
            on conflict (key) do update set
                used = case when w.started_at < excluded.started_at then 1 else w.used + 1 end,
                started_at = greatest(w.started_at, excluded.started_at)
            returning limits[1] - w.used, w.started_at into remaining, reset;
            level := levels[1];
            reset := reset + make_interval(secs => seconds[1]);
        else
            for counted in
                insert into rate_window as w (key, started_at, used)
                select keys[n], date_bin(make_interval(secs => seconds[n]), asked_at, epoch), 1
                  from generate_subscripts(keys, 1) as n
                 order by keys[n] -- so that no two calls lock the same counters in another order
                on conflict (key) do update set
                    used = case when w.started_at < excluded.started_at then 1 else w.used + 1 end,
                    started_at = greatest(w.started_at, excluded.started_at)
                returning w.key, w.started_at, w.used
            loop
                n := array_position(keys, counted.key);
                if remaining is null or limits[n] - counted.used < remaining then
                    remaining := limits[n] - counted.used;
                    level := levels[n];
                    reset := counted.started_at + make_interval(secs => seconds[n]);
                end if;
            end loop;
        end if;
        if remaining < 0 then
            verdict := 'limited';
        end if;
    end if;
    if verdict <> 'ok' then
        remaining := null;
        perform set_config('tradepost.account', '', false);
        return;
    end if;
    account_id := token.account_id;
    name := token.name;
    currency := token.currency;
    payment_currency := token.payment_currency;
    locale := token.locale;
    at := token.at;
    perform set_config('tradepost.account', token.account_id, false);
end $$;

revoke all on function admit from public;
grant execute on function admit to tradepost_app;

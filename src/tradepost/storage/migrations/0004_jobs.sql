-- Jobs: work for later, the rows of bulk updates, what happened and the mail about it.
--
-- A job is a row that is written with the change that asks for it. What callers see of it (state, counts, times of
-- the world) and what workers need (due, worker, fence, tries; by the machine's clock) stand in one row, so that a
-- batch commits its effects and its progress together.

-- Every write to a stock level, and to whether a variation is on sale, takes the next number; a bulk update has the
-- number of the moment it was asked for, so whatever has a higher one is newer and stays. Clocks cannot say this:
-- the world's may stand still.
create sequence revision;
grant usage on sequence revision to tradepost_app, tradepost_platform;
alter table stock add column rev bigint not null default 0;
alter table stock alter column rev set default nextval('revision');
alter table variation add column enabled_rev bigint not null default 0;
alter table variation alter column enabled_rev set default nextval('revision');

create table job (
    account_id text collate "C" not null check (length(account_id) = 24),
    id text collate "C" not null check (length(id) = 24),
    kind text not null,
    lane text not null,
    state text not null default 'pending'
        check (state in ('pending', 'running', 'finished', 'failed', 'cancelled')),
    arguments jsonb not null,
    -- The token that asked for it, and the person it was given to; null where nobody called.
    token_id text collate "C",
    person_id text collate "C",
    created_at timestamptz not null,
    started_at timestamptz,
    ended_at timestamptz check ((ended_at is null) = (state in ('pending', 'running'))),
    position bigint not null default 0,
    total bigint,
    processed bigint not null default 0,
    succeeded bigint not null default 0,
    failed bigint not null default 0,
    result jsonb,
    -- When it may be taken: for a pending job when it is due, for a running one when its lease ends.
    due_at timestamptz not null,
    worker integer,
    fence bigint not null default 0,
    tries integer not null default 0,
    waits integer not null default 0,
    error text,
    primary key (account_id, id)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 200);
-- One job of an account at a time in each lane: fair to others, and in the order they were asked for.
create unique index job_lane on job (account_id, lane) where state = 'running';
create index job_waiting on job (account_id, lane, due_at, id) where state = 'pending';
create index job_open on job (due_at) where state in ('pending', 'running');
create index job_ended on job (ended_at) where ended_at is not null;

-- A worker is a number with an advisory lock (first key below) on its session, so that everybody sees when it dies.
create sequence worker_number as integer cycle;
grant usage on sequence worker_number to tradepost_platform;
create function live_workers() returns integer[]
language sql stable
begin atomic
    select coalesce(array_agg(objid::integer), '{}') from pg_locks
     where locktype = 'advisory' and classid = 7403 and objsubid = 2 and granted
       and database = (select oid from pg_database where datname = current_database());
end;

-- The rows of a bulk update in packs, and what became of them. A pack is applied once, as a whole.
create table bulk_pack (
    merchant_id text collate "C" not null,
    job_id text collate "C" not null,
    number integer not null,
    first_row integer not null, -- of the update, from 1
    rows bytea not null,
    applied boolean not null default false,
    succeeded_before integer,
    succeeded integer,
    failed_before integer,
    failed integer,
    failures bytea,
    changed_products text[],
    primary key (merchant_id, job_id, number),
    foreign key (merchant_id, job_id) references job (account_id, id) on delete cascade
);
-- Read once and written once: compressing it would cost more than it saves.
alter table bulk_pack alter column rows set storage external;

create table event (
    account_id text collate "C" not null check (length(account_id) = 24),
    id text collate "C" not null check (length(id) = 24),
    topic text not null,
    about jsonb not null,
    happened_at timestamptz not null,
    told_at timestamptz,
    primary key (account_id, id)
);
create index event_happened on event (happened_at);

create table mail (
    account_id text collate "C" not null check (length(account_id) = 24),
    id text collate "C" not null check (length(id) = 24),
    event_id text collate "C",
    recipient text not null,
    subject text not null,
    body text not null,
    created_at timestamptz not null,
    sent_at timestamptz,
    refused text,
    primary key (account_id, id),
    foreign key (account_id, event_id) references event (account_id, id) on delete cascade
);
create index mail_created on mail (created_at);

-- What is done every so often, by one worker at a time.
create table chore (
    name text primary key,
    due_at timestamptz not null
);

-- Text for a cell of a CSV file. A spreadsheet takes what begins with one of these for a formula, and the
-- full-width forms, too: an apostrophe in front makes it text again.
create function cell(text) returns text
language sql immutable parallel safe
return case when ascii($1) in (9, 13, 43, 45, 61, 64, 65291, 65293, 65309, 65312) then '''' || $1 else $1 end;

do $$
declare
    bound record;
begin
    for bound in select * from (values
        ('job', 'account_id'), ('bulk_pack', 'merchant_id'), ('event', 'account_id'), ('mail', 'account_id')
    ) as t (table_name, account_column)
    loop
        execute format('alter table %I enable row level security', bound.table_name);
        execute format('alter table %I force row level security', bound.table_name);
        execute format(
            'create policy own_account on %I to tradepost_app using (%I = current_setting(''tradepost.account''))',
            bound.table_name, bound.account_column);
        execute format('create policy every_account on %I to tradepost_platform using (true)', bound.table_name);
        execute format('grant select, insert, update, delete on %I to tradepost_app, tradepost_platform',
            bound.table_name);
    end loop;
end $$;
grant select, insert, update on chore to tradepost_platform;

-- The gate also tells which token it was: what a job leaves behind goes when its token is taken back.
drop function admit;
create function admit(
    asked_service text, token_hash bytea, asked_scope text,
    levels text[], keys text[], limits integer[], seconds integer[], caller text, agent text,
    out verdict text, out account_id text, out name text, out currency text, out payment_currency text,
    out locale text, out remaining integer, out level text, out reset timestamptz, out at timestamptz, out token_id text
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
        select t.account_id, t.id, t.app_id, t.scopes, t.expires_at, t.revoked_at, a.disabled_at, m.suspended_at,
               m.name, m.locale, m.currency, m.payment_currency, coalesce(c.fixed_at, asked_at + c.shift) as at
          into token
          from access_token t
          join app a on a.service = t.service and a.id = t.app_id
          join merchant m on m.id = t.account_id
         cross join world_clock c
         where t.hash = token_hash and t.service = asked_service;
    else
        select t.account_id, t.id, t.app_id, t.scopes, t.expires_at, t.revoked_at, a.disabled_at, s.suspended_at,
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
    token_id := token.id;
    name := token.name;
    currency := token.currency;
    payment_currency := token.payment_currency;
    locale := token.locale;
    at := token.at;
    perform set_config('tradepost.account', token.account_id, false);
end $$;

revoke all on function admit from public;
grant execute on function admit to tradepost_app;

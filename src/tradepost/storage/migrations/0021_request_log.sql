-- The request log: what callers asked and what they were answered, for 30 days.
--
-- A row is a pack: calls of one account that came within a short while, compressed together, which takes a tenth of the
-- time and of the room that a row per call takes. A call is found by its Wish-Request-Id, a UUID of version 7: its first
-- 48 bits are the moment of the call in milliseconds since 1970, by the machine's clock, so that ids, times and pages
-- need the one index. Days go into twelve slots of three days in turn (days since 1970 / 3 mod 12): eleven hold what is
-- kept, the twelfth is emptied before its turn comes, which costs nothing however much was in it.
create table request_log (
    account_id text collate "C" not null check (length(account_id) in (0, 24)), -- '' is nobody that is known
    last_id uuid not null,
    first_id uuid not null check (first_id <= last_id),
    slot smallint not null check (slot between 0 and 11),
    calls integer not null check (calls > 0),
    is_compressed boolean not null,
    lines bytea not null, -- what is told of each call in a list
    said bytea not null, -- what was asked and answered, without secrets
    primary key (account_id, last_id, slot)
) partition by list (slot);
create index request_log_last on request_log (last_id);

do $$
declare
    slot integer;
begin
    for slot in 0 .. 11 loop
        execute format('create table request_log_%s partition of request_log for values in (%s)', slot, slot);
        -- It is compressed where that pays, before it comes.
        execute format('alter table request_log_%s alter column said set storage external', slot);
        execute format('alter table request_log_%s alter column lines set storage main', slot);
        -- Rows come and are read by the whole; slots are emptied by themselves.
        execute format('grant truncate on request_log_%s to tradepost_platform', slot);
    end loop;
end $$;

-- How many calls of an account were kept on a day (UTC, the machine's), in how many bytes, and how many were not,
-- because there were too many.
create table request_log_tally (
    account_id text collate "C" not null check (length(account_id) in (0, 24)),
    day date not null,
    kept bigint not null default 0,
    bytes bigint not null default 0,
    missed bigint not null default 0,
    primary key (account_id, day)
);

do $$
declare
    bound text;
begin
    foreach bound in array array['request_log', 'request_log_tally'] loop
        execute format('alter table %I enable row level security', bound);
        execute format('alter table %I force row level security', bound);
        execute format(
            'create policy own_account on %I to tradepost_app using (account_id = current_setting(''tradepost.account''))',
            bound);
        execute format('create policy every_account on %I to tradepost_platform using (true)', bound);
        execute format('grant select on %I to tradepost_app', bound);
        execute format('grant select, insert, update, delete on %I to tradepost_platform', bound);
    end loop;
end $$;

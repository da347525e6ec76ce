-- Operators: who runs the marketplace, the tokens they call with, what they did, and the answers to calls that are
-- done once.
--
-- Nothing here belongs to a merchant, and the application's role sees none of it: operators are served in the
-- platform's role, which may add acts and neither change nor delete them.

create table operator_account (
    id text collate "C" primary key check (length(id) = 24),
    name text collate "C" not null unique check (length(name) between 1 and 100),
    locale text not null default 'en',
    disabled_at timestamptz,
    created_at timestamptz not null
);

create table operator_token (
    operator_id text collate "C" not null references operator_account (id),
    id text collate "C" not null check (length(id) = 24),
    hash bytea not null check (length(hash) = 32),
    scopes text[] not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    primary key (operator_id, id)
);
create unique index operator_token_hash on operator_token (hash);

-- One line for every write by an operator: who, with which token, what, on whom (a merchant or a user of the
-- logistics service; null where it is about everybody), and the ids of the things it was about.
create table operator_act (
    number bigint generated always as identity primary key,
    acted_at timestamptz not null,
    operator_id text collate "C" not null references operator_account (id),
    token_id text collate "C" not null,
    verb text not null,
    subject text collate "C",
    about jsonb not null
);
create index operator_act_subject on operator_act (subject, number);

-- A key is written by the transaction that does what the call asks for, with the answer: both are there or neither.
create table idempotency_key (
    operator_id text collate "C" not null references operator_account (id),
    key text collate "C" not null check (length(key) between 1 and 255),
    fingerprint bytea not null check (length(fingerprint) = 32),
    used_at timestamptz not null,
    answer bytea,
    primary key (operator_id, key)
);
create index idempotency_key_used on idempotency_key (used_at);

grant select, insert, update, delete on operator_account, operator_token, idempotency_key to tradepost_platform;
grant select, insert on operator_act to tradepost_platform;
grant insert, update on rate_window to tradepost_platform;

-- The gate for operators: like `admit`, but for the one limit, and it binds the connection to nobody.
create function admit_operator(
    token_hash bytea, asked_scope text, counter text, most integer, seconds integer,
    out verdict text, out account_id text, out name text, out locale text, out remaining integer,
    out reset timestamptz, out at timestamptz, out token_id text
)
language plpgsql set search_path = tradepost, pg_temp
as $$
#variable_conflict use_column
declare
    token record;
    asked_at timestamptz := clock_timestamp();
begin
    select t.operator_id, t.id, t.scopes, t.expires_at, t.revoked_at, o.disabled_at, o.name, o.locale,
           coalesce(c.fixed_at, asked_at + c.shift) as at
      into token
      from operator_token t
      join operator_account o on o.id = t.operator_id
     cross join world_clock c
     where t.hash = token_hash;
    verdict := case
        when token.operator_id is null then 'unknown'
        when token.revoked_at is not null then 'revoked'
        when token.expires_at <= token.at then 'expired'
        when token.disabled_at is not null then 'suspended'
        when asked_scope is not null and not asked_scope = any (token.scopes) then 'scope'
        else 'ok'
    end;
    if verdict = 'ok' then
        insert into rate_window as w (key, started_at, used)
        values (counter || token.operator_id,
                date_bin(make_interval(secs => seconds), asked_at, '1970-01-01 00:00+00'), 1)
        on conflict (key) do update set
            used = case when w.started_at < excluded.started_at then 1 else w.used + 1 end,
            started_at = greatest(w.started_at, excluded.started_at)
        returning most - w.used, w.started_at + make_interval(secs => seconds) into remaining, reset;
        if remaining < 0 then
            verdict := 'limited';
        end if;
    end if;
    account_id := token.operator_id;
    name := token.name;
    locale := token.locale;
    at := token.at;
    token_id := token.id;
end $$;

-- Takes a key for this transaction, first of all that it does: `new` where the call is to be done, `done` with the
-- answer where it was, `other` where the key was used for something else, `running` where another call with it has
-- not come to its end after two seconds. A key that was used before `forgotten` counts as new.
create function take_key(
    asked_by text, asked_key text, asked_fingerprint bytea, asked_at timestamptz, forgotten timestamptz,
    out verdict text, out answer bytea
)
language plpgsql set search_path = tradepost, pg_temp set lock_timeout = '2s'
as $$
#variable_conflict use_column
declare
    known record;
begin
    insert into idempotency_key as k (operator_id, key, fingerprint, used_at)
    values (asked_by, asked_key, asked_fingerprint, asked_at)
    on conflict (operator_id, key) do update
       set fingerprint = excluded.fingerprint, used_at = excluded.used_at, answer = null
     where k.used_at <= forgotten;
    if found then
        verdict := 'new';
        return;
    end if;
    select k.fingerprint, k.answer into known
      from idempotency_key k where k.operator_id = asked_by and k.key = asked_key;
    verdict := case when known.fingerprint = asked_fingerprint then 'done' else 'other' end;
    if verdict = 'done' then
        answer := known.answer;
    end if;
exception when lock_not_available then
    verdict := 'running';
end $$;

revoke all on function admit_operator, take_key from public;
grant execute on function admit_operator, take_key to tradepost_platform;

-- What operators page through: all merchants, and what waits for somebody to act, whoever the merchant is.
create index merchant_opened on merchant (created_at, id);
create index shipper_opened on shipper (created_at, id);
create index product_reviewed on product (created_at, id) where review_status = 'pending' and removed_at is null;
create index ticket_escalated on ticket (updated_at, id) where state = 'awaiting_support';
create index infraction_answered on infraction (updated_at, id) where state = 'awaiting_admin';

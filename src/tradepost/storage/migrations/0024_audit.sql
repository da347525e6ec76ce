-- The audit log: what was done that gives or takes rights, one row each, in the transaction that does it.
--
-- Rows are only ever added: neither of the two roles may change or delete one, and the application's cannot even read
-- them. When a transaction commits, each of its rows gets a link of the chain: its number, and a hash over the row and
-- the link before. That is done last of all, so whoever waits for the chain holds nothing that others in it wait for.

create table audit_record (
    id bigint generated always as identity primary key,
    at timestamptz not null, -- by the world's clock
    actor_kind text not null check (actor_kind <> ''),
    actor text not null, -- an id; empty where there is none
    client text not null, -- the address that it was asked from; empty where nobody asked over a network
    verb text not null check (verb ~ '^[a-z_]+\.[a-z_]+$'),
    subject text collate "C", -- whom it is done to: a merchant, or a user of the logistics service; null for nobody
    about text not null -- JSON: ids and plain words, never a secret
);

create table audit_link (
    number bigint primary key check (number > 0),
    record_id bigint not null unique references audit_record (id),
    hash bytea not null check (length(hash) = 32)
);

-- What of a row goes into its hash; domain/audit/record.py makes the same text by itself.
create function audit_text(written audit_record) returns text
language sql stable set search_path = tradepost, pg_temp
as $$
    select jsonb_build_array(
        written.id::text, to_char(written.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), written.actor_kind,
        written.actor, written.client, written.verb, written.subject, written.about
    )::text
$$;

create function audit_chain() returns trigger
language plpgsql security definer set search_path = tradepost, pg_temp
as $$
declare
    before record;
begin
    perform pg_advisory_xact_lock(hashtext('tradepost audit chain'));
    select number, hash into before from audit_link order by number desc limit 1;
    insert into audit_link (number, record_id, hash)
    values (
        coalesce(before.number, 0) + 1, new.id,
        sha256(coalesce(before.hash, decode(repeat('00', 32), 'hex')) || convert_to(audit_text(new), 'UTF8'))
    );
    return null;
end $$;

create constraint trigger audit_chain after insert on audit_record
    deferrable initially deferred for each row execute function audit_chain();

revoke all on function audit_chain, audit_text from public;
grant insert on audit_record to tradepost_app;
grant select, insert on audit_record to tradepost_platform;
grant select on audit_link to tradepost_platform;

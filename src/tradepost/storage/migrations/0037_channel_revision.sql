-- Which state the channels are in: another number after every change, so that processes may keep the list as long as it
-- stays. Random, and no count: a world that is put back has the number of then with the channels of then, and whatever
-- changes them afterwards makes one that nobody has seen.
create table channel_revision (
    is_only boolean primary key default true check (is_only),
    revision uuid not null default gen_random_uuid()
);
insert into channel_revision default values;
grant select on channel_revision to tradepost_app;
grant select, insert, update, delete on channel_revision to tradepost_platform;

create function revise_channels() returns trigger language plpgsql set search_path from current as $$
begin
    insert into channel_revision default values
        on conflict (is_only) do update set revision = gen_random_uuid();
    return null;
end $$;
create trigger channel_revised after insert or update or delete or truncate on channel
    for each statement execute function revise_channels();

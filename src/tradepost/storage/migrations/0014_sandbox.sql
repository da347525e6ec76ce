-- What a sandbox does with its world beside moving the clock: ids that can be foretold, and faults on demand.

-- In a world with a seed, new ids follow from it, from what is done and from how much was done before; without one they
-- are random. A production's world never has one.
alter table world_clock add column seed text;
create sequence world_draw;
grant usage on sequence world_draw to tradepost_app, tradepost_platform;
grant update on sequence world_draw to tradepost_platform;

-- How often a chore found something to do: what it makes has other ids each time.
alter table chore add column done bigint not null default 0;

-- What some calls meet instead of their answer. Who may be met is told by ids that need not be anybody's.
create table fault (
    id text collate "C" primary key check (length(id) = 24),
    kind text not null check (kind in ('limited', 'broken', 'unavailable', 'slow', 'cut', 'expired')),
    service text not null check (service in ('merchant', 'wishpost')),
    path text collate "C", -- null for every endpoint
    only_account text collate "C",
    only_app text collate "C",
    share integer not null default 100 check (share between 1 and 100), -- of the calls that it could meet, in percent
    remaining integer check (remaining >= 0), -- how many more calls it meets; null for no end
    seconds double precision not null default 2 check (seconds between 0 and 60),
    seen bigint not null default 0,
    met bigint not null default 0,
    created_at timestamptz not null
);
grant select, insert, update, delete on fault to tradepost_platform;

-- The sandbox's autopilot: at which pace the world goes on by itself, and how far it has come.

-- One row from the first time that it is switched on. Beats are counted on when it is switched off and on again: ids
-- follow from their numbers.
create table autopilot (
    only_one boolean primary key default true check (only_one),
    is_on boolean not null,
    pace integer not null check (pace between 1 and 3600), -- beats per hour of the world's time
    seed text not null check (length(seed) between 1 and 64),
    beats bigint not null default 0, -- those that were left out counted, too
    next_at timestamptz not null
);
grant select, insert, update on autopilot to tradepost_platform;

-- Parcels whose carrier may have something to tell, and since when. WishPost's tell by themselves; what was brought
-- along with orders of the past is complete; whoever is delivered is waited for no more.
alter table parcel_tracking add column awaited_at timestamptz;
create index parcel_tracking_awaited on parcel_tracking (awaited_at, merchant_id, number)
    where awaited_at is not null;

-- Faults can be aimed at operators' calls, too.
alter table fault drop constraint fault_service_check;
alter table fault add constraint fault_service_check check (service in ('merchant', 'wishpost', 'operator'));

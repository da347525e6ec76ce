-- Calls that name an app and show no token may be anybody's: they are counted for themselves, so that a stranger who
-- names somebody's app does not use up what is kept of its owner's day.
alter table request_log_tally
    add column unproven bigint not null default 0,
    add column unproven_bytes bigint not null default 0;

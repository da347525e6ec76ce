-- The logistics service: the channels that a parcel can be sent by. They belong to the platform, not to a user.

create table channel (
    otype text collate "C" primary key check (otype ~ '^[0-9]+(-[01])?$'),
    channel_name text not null,
    channel_name_en text not null,
    is_registered boolean not null,
    support_warehouses boolean not null,
    warehouses text[] not null default '{}',
    is_only_online_payment boolean not null,
    allow_battery boolean not null,
    sensitivity_types integer[] not null default '{0}',
    pickup_services jsonb not null default '[]',
    closed_at timestamptz
);
grant select on channel to tradepost_app;
grant select, insert, update, delete on channel to tradepost_platform;

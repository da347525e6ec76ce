-- Where access tokens are used from. A row is a place of a token: a network (the /24 of an IPv4 address, the /48 of an
-- IPv6 one, '' where there was no address) and a program (the first name in what the client calls itself). Servers write
-- it beside the calls, a second's worth at a time. Like the request log it is the machine's, and so are its times: it
-- has no foreign key, is in no snapshot, and outlives a reset.
create table token_use (
    account_id text collate "C" not null check (length(account_id) = 24),
    token_id text collate "C" not null check (length(token_id) = 24),
    network text collate "C" not null check (length(network) <= 64),
    program text collate "C" not null check (length(program) <= 40),
    app_id text collate "C" not null check (length(app_id) = 24),
    address text not null check (length(address) <= 64),
    agent text not null check (length(agent) <= 200),
    -- Whether the app had never been used from this network, or never with this program; null until that was judged.
    is_new boolean,
    first_used_at timestamptz not null,
    last_used_at timestamptz not null,
    last_used_on date not null, -- indexed, which the moment is not: it changes with every write
    primary key (account_id, token_id, network, program)
) with (fillfactor = 70);
create index token_use_network on token_use (account_id, app_id, network, program);
create index token_use_program on token_use (account_id, app_id, program);
create index token_use_last on token_use (last_used_on);

alter table token_use enable row level security;
alter table token_use force row level security;
create policy own_account on token_use to tradepost_app using (account_id = current_setting('tradepost.account'));
create policy every_account on token_use to tradepost_platform using (true);
grant select on token_use to tradepost_app;
grant select, insert, update, delete on token_use to tradepost_platform;

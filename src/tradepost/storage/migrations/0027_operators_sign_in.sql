-- Operators who are people sign in to pages of their own, with the name that they have and a password.

create table operator_password (
    operator_id text collate "C" primary key references operator_account (id),
    hash text not null,
    set_at timestamptz not null
);

-- Who is signed in. The id in the cookie is kept as its hash, like a token.
create table operator_session (
    operator_id text collate "C" not null references operator_account (id),
    id text collate "C" not null check (length(id) = 24),
    hash bytea not null check (length(hash) = 32),
    created_at timestamptz not null,
    used_at timestamptz not null,
    ended_at timestamptz,
    primary key (operator_id, id)
);
create unique index operator_session_hash on operator_session (hash);
create index operator_session_created on operator_session (created_at);

grant select, insert, update, delete on operator_password, operator_session to tradepost_platform;

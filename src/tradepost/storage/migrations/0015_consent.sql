-- Letting apps in: who an app belongs to, what people agreed to, the tokens that follow from it, and who is signed in.

-- An app with an owner is private: nobody else can let it in. One without is public, and must have been verified.
alter table app
    add column more_redirect_uris text[] not null default '{}',
    add column owner_id text collate "C" check (length(owner_id) = 24),
    add column verified_at timestamptz,
    add column scopes text[], -- all of its service where null
    add column needs_pkce boolean not null default false,
    add column old_secret_hash bytea,
    add column old_secret_expires_at timestamptz,
    add check ((old_secret_hash is null) = (old_secret_expires_at is null));
update app set verified_at = created_at;

-- What somebody agreed to, with the code that it is exchanged by. The tokens that follow are one family: it ends as
-- a whole.
create table consent (
    account_id text collate "C" not null check (length(account_id) = 24),
    id text collate "C" not null check (id ~ '^[0-9a-f]{24}$'),
    service text not null,
    app_id text collate "C" not null,
    user_id text collate "C" not null check (length(user_id) = 24),
    scopes text[] not null,
    redirect_uri text not null,
    challenge text, -- of PKCE, S256; null where the app gave none
    code_hash bytea not null check (length(code_hash) = 32),
    code_expires_at timestamptz not null,
    code_used_at timestamptz,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    ended_at timestamptz,
    ended_because text check (ended_because in ('code_reused', 'refresh_reused', 'revoked', 'withdrawn')),
    primary key (account_id, id),
    foreign key (service, app_id) references app (service, id),
    check ((ended_at is null) = (ended_because is null))
);
create unique index consent_code_hash on consent (code_hash);
create index consent_app on consent (account_id, app_id);

-- A used one leads to the next: `seed` and the old token make the new ones, for as long as the answer is repeated.
create table refresh_token (
    account_id text collate "C" not null,
    id text collate "C" not null check (length(id) = 24),
    consent_id text collate "C" not null,
    hash bytea not null check (length(hash) = 32),
    created_at timestamptz not null,
    used_at timestamptz,
    seed bytea,
    primary key (account_id, id),
    foreign key (account_id, consent_id) references consent (account_id, id),
    check (seed is null or used_at is not null)
);
create unique index refresh_token_hash on refresh_token (hash);
create index refresh_token_consent on refresh_token (account_id, consent_id);
create index refresh_token_seed on refresh_token (used_at) where seed is not null;

alter table access_token
    add column consent_id text collate "C",
    add foreign key (account_id, consent_id) references consent (account_id, id);
create index access_token_consent on access_token (account_id, consent_id) where consent_id is not null;

-- Who is signed in to the pages. The id in the cookie is kept as its hash, like a token.
create table person_session (
    account_id text collate "C" not null check (length(account_id) = 24),
    id text collate "C" not null check (length(id) = 24),
    service text not null check (service in ('merchant', 'wishpost')),
    user_id text collate "C" not null check (length(user_id) = 24),
    hash bytea not null check (length(hash) = 32),
    created_at timestamptz not null,
    used_at timestamptz not null,
    ended_at timestamptz,
    primary key (account_id, id)
);
create unique index person_session_hash on person_session (hash);
create index person_session_created on person_session (created_at);

do $$
declare
    bound text;
begin
    foreach bound in array array['consent', 'refresh_token', 'person_session'] loop
        execute format('alter table %I enable row level security', bound);
        execute format('alter table %I force row level security', bound);
        execute format(
            'create policy own_account on %I to tradepost_app using (account_id = current_setting(''tradepost.account''))',
            bound);
        execute format('create policy every_account on %I to tradepost_platform using (true)', bound);
        execute format('create policy gate on %I for select to current_user using (true)', bound);
        execute format('grant select, insert on %I to tradepost_app', bound);
        execute format('grant select, insert, update, delete on %I to tradepost_platform', bound);
    end loop;
end $$;
-- What was agreed to does not change any more; only how far it got does.
grant update (code_used_at, ended_at, ended_because) on consent to tradepost_app;
grant update (used_at, seed) on refresh_token to tradepost_app;
grant update (used_at, ended_at) on person_session to tradepost_app;
grant update (revoked_at) on access_token to tradepost_app;

-- Lets an access token follow from a consent of the bound account: for its app, for its scopes, for no longer than it
-- lasts. The application's role makes no others.
create policy follow on access_token for insert to current_user
    with check (account_id = current_setting('tradepost.account'));
create function follow_consent(
    whose text, asked_consent text, token_id text, token_hash bytea, issued_at timestamptz, ends_at timestamptz
) returns boolean
language plpgsql security definer set search_path = tradepost, pg_temp
as $$
begin
    insert into access_token (service, account_id, id, app_id, hash, scopes, created_at, expires_at, consent_id)
    select c.service, c.account_id, token_id, c.app_id, token_hash, c.scopes, issued_at,
           least(ends_at, c.expires_at), c.id
      from consent c
     where c.account_id = current_setting('tradepost.account') and c.account_id = whose and c.id = asked_consent
       and c.code_used_at is not null and c.ended_at is null;
    return found;
end $$;

-- The gate for calls without a token: counts the call and binds the connection to nobody. Levels are those that
-- need no account: ip and ip_agent. Otherwise like `admit`.
create function admit_anybody(
    levels text[], keys text[], limits integer[], seconds integer[], caller text, agent text,
    out verdict text, out remaining integer, out level text, out reset timestamptz, out at timestamptz
)
language plpgsql security definer set search_path = tradepost, pg_temp
as $$
#variable_conflict use_column
declare
    counted record;
    n integer;
    asked_at timestamptz := clock_timestamp();
    epoch constant timestamptz := '1970-01-01 00:00+00';
begin
    perform set_config('tradepost.account', '', false);
    for n in 1 .. cardinality(keys) loop
        keys[n] := keys[n] || case levels[n]
            when 'ip' then caller
            when 'ip_agent' then caller || ' ' || md5(agent)
        end;
    end loop;
    for counted in
        insert into rate_window as w (key, started_at, used)
        select keys[n], date_bin(make_interval(secs => seconds[n]), asked_at, epoch), 1
          from generate_subscripts(keys, 1) as n
         order by keys[n]
        on conflict (key) do update set
            used = case when w.started_at < excluded.started_at then 1 else w.used + 1 end,
            started_at = greatest(w.started_at, excluded.started_at)
        returning w.key, w.started_at, w.used
    loop
        n := array_position(keys, counted.key);
        if remaining is null or limits[n] - counted.used < remaining then
            remaining := limits[n] - counted.used;
            level := levels[n];
            reset := counted.started_at + make_interval(secs => seconds[n]);
        end if;
    end loop;
    verdict := case when remaining < 0 then 'limited' else 'ok' end;
    at := world_now();
end $$;

-- One app of a service.
create function app_of(asked_service text, asked_id text) returns setof app
language sql stable security definer set search_path = tradepost, pg_temp
as $$ select * from app where service = asked_service and id = asked_id $$;

-- Whose a code, a refresh token, an access token or a session is, by its hash; binds the connection to the account
-- until the end of the transaction, or to nobody. What it is worth is told by its own row, which can be seen then.
create function bind_by(
    asked_service text, kind text, secret_hash bytea,
    out account_id text, out name text, out locale text, out suspended boolean, out at timestamptz
)
language plpgsql security definer set search_path = tradepost, pg_temp
as $$
#variable_conflict use_column
declare
    found text;
begin
    found := case kind
        when 'code' then
            (select c.account_id from consent c where c.code_hash = secret_hash and c.service = asked_service)
        when 'refresh' then
            (select r.account_id from refresh_token r
               join consent c on c.account_id = r.account_id and c.id = r.consent_id
              where r.hash = secret_hash and c.service = asked_service)
        when 'access' then
            (select t.account_id from access_token t where t.hash = secret_hash and t.service = asked_service)
        when 'session' then
            (select p.account_id from person_session p where p.hash = secret_hash and p.service = asked_service)
    end;
    if asked_service = 'merchant' then
        select m.id, m.name, m.locale, m.suspended_at is not null into account_id, name, locale, suspended
          from merchant m where m.id = found;
    else
        select s.id, s.name, s.locale, s.suspended_at is not null into account_id, name, locale, suspended
          from shipper s where s.id = found;
    end if;
    at := world_now();
    perform set_config('tradepost.account', coalesce(account_id, ''), true);
end $$;

-- Who signs in with an address. Binds to nobody: only a password does.
create function person_of(
    asked_service text, asked_email text,
    out account_id text, out user_id text, out name text, out locale text, out password_hash text
)
language plpgsql stable security definer set search_path = tradepost, pg_temp
as $$
#variable_conflict use_column
begin
    if asked_service = 'merchant' then
        select u.merchant_id, u.id, u.name, m.locale, u.password_hash
          into account_id, user_id, name, locale, password_hash
          from merchant_user u join merchant m on m.id = u.merchant_id where u.email = asked_email;
    else
        select s.id, s.id, s.name, s.locale, s.password_hash
          into account_id, user_id, name, locale, password_hash
          from shipper s where s.email = asked_email;
    end if;
end $$;

revoke all on function admit_anybody, app_of, bind_by, person_of, follow_consent from public;
grant execute on function admit_anybody, app_of, bind_by, person_of, follow_consent to tradepost_app, tradepost_platform;

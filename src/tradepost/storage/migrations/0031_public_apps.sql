-- Public apps that accounts make themselves: they ask for verification, and an operator verifies or refuses them.
--
-- `developer_id` is who made an app and looks after it; `owner_id` stays the one account that alone can let it in.

-- No column may be called as a variable of `admit` is, which takes a column where a name is both.
alter table app
    add column developer_id text collate "C" check (length(developer_id) = 24), -- null for an operator's
    add column revision integer not null default 0, -- of what is verified: what was seen is what is judged
    add column waits_since timestamptz, -- for an operator to judge it
    add column refusal text check (length(refusal) between 1 and 1000),
    add column deleted_at timestamptz, -- tokens and consents name it, so its row stays
    add check (waits_since is null or (verified_at is null and refusal is null)),
    add check (verified_at is null or refusal is null),
    add check (deleted_at is null or (disabled_at is not null and waits_since is null));
update app set developer_id = owner_id where owner_id is not null;

drop index app_owner;
create index app_developer on app (developer_id, service, created_at) where developer_id is not null;
create index app_waiting on app (service, waits_since) where waits_since is not null;

create or replace function own_apps(asked_service text) returns setof app
language sql stable security definer set search_path = tradepost, pg_temp
as $$
    select * from app
     where service = asked_service and developer_id = current_setting('tradepost.account') and deleted_at is null
     order by created_at desc, id
$$;

-- Whether it was added: an account has so many at most. Deleted ones count for another day, so that nobody makes
-- and deletes without end.
drop function add_own_app;
create function add_own_app(
    asked_service text, new_id text, new_name text, new_hash bytea, uris text[], is_public boolean, pkce boolean,
    new_scopes text[], most integer, at timestamptz
) returns boolean
language plpgsql security definer set search_path = tradepost, pg_temp
as $$
declare
    me constant text := current_setting('tradepost.account');
begin
    -- So that two forms at the same moment do not both find room for the last one.
    perform pg_advisory_xact_lock(7404, hashtext(me));
    insert into app (service, id, name, secret_hash, redirect_uri, more_redirect_uris, owner_id, developer_id,
                     needs_pkce, scopes, created_at)
    select asked_service, new_id, new_name, new_hash, uris[1], coalesce(uris[2:], '{}'),
           case when is_public then null else me end, me, pkce, new_scopes, at
     where (select count(*) from app a
             where a.developer_id = me
               and (a.deleted_at is null or a.deleted_at > at - interval '1 day')) < most;
    return found;
end $$;

create or replace function replace_own_secret(asked_service text, asked_id text, new_hash bytea, old_until timestamptz)
returns boolean
language plpgsql security definer set search_path = tradepost, pg_temp
as $$
begin
    update app set old_secret_hash = secret_hash, old_secret_expires_at = old_until, secret_hash = new_hash
     where service = asked_service and id = asked_id and deleted_at is null
       and developer_id = current_setting('tradepost.account');
    return found;
end $$;

-- The secret before the present one is good no more.
create function end_own_old_secret(asked_service text, asked_id text) returns boolean
language plpgsql security definer set search_path = tradepost, pg_temp
as $$
begin
    update app set old_secret_hash = null, old_secret_expires_at = null
     where service = asked_service and id = asked_id and deleted_at is null
       and developer_id = current_setting('tradepost.account');
    return found;
end $$;

-- A public app that may lead somewhere else than before, or ask for more, is not what an operator has seen.
drop function change_own_app;
create function change_own_app(
    asked_service text, asked_id text, uris text[], pkce boolean, new_scopes text[], disabled timestamptz
) returns boolean
language plpgsql security definer set search_path = tradepost, pg_temp
as $$
begin
    update app set redirect_uri = uris[1], more_redirect_uris = coalesce(uris[2:], '{}'),
           needs_pkce = pkce, scopes = new_scopes, revision = revision + 1,
           verified_at = case
               when owner_id is not null then verified_at
               when uris <@ array_append(more_redirect_uris, redirect_uri)
                    and (scopes is null or new_scopes <@ scopes) then verified_at
           end,
           disabled_by_owner = case when disabled is null then false else disabled_by_owner or disabled_at is null end,
           disabled_at = case when disabled_at is null or disabled_by_owner then disabled else disabled_at end
     where service = asked_service and id = asked_id and deleted_at is null
       and developer_id = current_setting('tradepost.account');
    return found;
end $$;

-- Whether it waits now, as it may have done before: a public app that is not verified.
create function ask_verification(asked_service text, asked_id text, at timestamptz) returns boolean
language plpgsql security definer set search_path = tradepost, pg_temp
as $$
begin
    update app set waits_since = coalesce(waits_since, at), refusal = null
     where service = asked_service and id = asked_id and deleted_at is null and owner_id is null
       and verified_at is null and developer_id = current_setting('tradepost.account');
    return found;
end $$;

-- Nobody is let in by it, and no token of it is good, from this moment on and for ever.
create function delete_own_app(asked_service text, asked_id text, at timestamptz) returns boolean
language plpgsql security definer set search_path = tradepost, pg_temp
as $$
begin
    update app set deleted_at = at, disabled_at = coalesce(disabled_at, at), waits_since = null
     where service = asked_service and id = asked_id and deleted_at is null
       and developer_id = current_setting('tradepost.account');
    return found;
end $$;

revoke all on function add_own_app, end_own_old_secret, change_own_app, ask_verification, delete_own_app from public;
grant execute on function add_own_app, end_own_old_secret, change_own_app, ask_verification, delete_own_app
    to tradepost_app, tradepost_platform;

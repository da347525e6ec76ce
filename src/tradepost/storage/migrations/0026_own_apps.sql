-- Apps that accounts make themselves on a page. The application's role sees no app but by these functions, each of them
-- for the account that the connection is bound to, and for private apps only: an app of everybody's is an operator's.

-- What an operator disabled, its owner does not enable.
alter table app add column disabled_by_owner boolean not null default false;

create index app_owner on app (owner_id, service, created_at) where owner_id is not null;

create function own_apps(asked_service text) returns setof app
language sql stable security definer set search_path = tradepost, pg_temp
as $$
    select * from app where service = asked_service and owner_id = current_setting('tradepost.account')
     order by created_at desc, id
$$;

-- Whether it was added: an account has so many at most.
create function add_own_app(
    asked_service text, new_id text, new_name text, new_hash bytea, uris text[], most integer, asked_at timestamptz
) returns boolean
language plpgsql security definer set search_path = tradepost, pg_temp
as $$
begin
    -- So that two forms at the same moment do not both find room for the last one.
    perform pg_advisory_xact_lock(7404, hashtext(current_setting('tradepost.account')));
    insert into app (service, id, name, secret_hash, redirect_uri, more_redirect_uris, owner_id, created_at)
    select asked_service, new_id, new_name, new_hash, uris[1], coalesce(uris[2:], '{}'),
           current_setting('tradepost.account'), asked_at
     where (select count(*) from app where owner_id = current_setting('tradepost.account')) < most;
    return found;
end $$;

create function replace_own_secret(asked_service text, asked_id text, new_hash bytea, old_until timestamptz)
returns boolean
language plpgsql security definer set search_path = tradepost, pg_temp
as $$
begin
    update app set old_secret_hash = secret_hash, old_secret_expires_at = old_until, secret_hash = new_hash
     where service = asked_service and id = asked_id and owner_id = current_setting('tradepost.account');
    return found;
end $$;

create function change_own_app(asked_service text, asked_id text, uris text[], disabled timestamptz)
returns boolean
language plpgsql security definer set search_path = tradepost, pg_temp
as $$
begin
    update app set redirect_uri = uris[1], more_redirect_uris = coalesce(uris[2:], '{}'),
           disabled_by_owner = case when disabled is null then false else disabled_by_owner or disabled_at is null end,
           disabled_at = case when disabled_at is null or disabled_by_owner then disabled else disabled_at end
     where service = asked_service and id = asked_id and owner_id = current_setting('tradepost.account');
    return found;
end $$;

revoke all on function own_apps, add_own_app, replace_own_secret, change_own_app from public;
grant execute on function own_apps, add_own_app, replace_own_secret, change_own_app
    to tradepost_app, tradepost_platform;

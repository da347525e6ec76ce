-- What the account that made an app is called, for whoever is asked to let it in; null for an operator's.
create function maker_of(asked_service text, asked_id text) returns text
language sql stable security definer set search_path = tradepost, pg_temp
as $$
    select coalesce(m.name, s.name)
      from app a
      left join merchant m on a.service = 'merchant' and m.id = a.developer_id
      left join shipper s on a.service = 'wishpost' and s.id = a.developer_id
     where a.service = asked_service and a.id = asked_id
$$;
revoke all on function maker_of from public;
grant execute on function maker_of to tradepost_app, tradepost_platform;

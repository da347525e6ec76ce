-- Which shops a user of the logistics service sends parcels for. Both sides must have agreed: an order of a shop may
-- travel with WishPost only in a parcel of a user that the shop is bound to.
create table sender_shop (
    account_id text collate "C" not null references shipper (id),
    shop_id text collate "C" not null references merchant (id),
    bound_at timestamptz not null,
    primary key (account_id, shop_id)
);
create index sender_shop_of_shop on sender_shop (shop_id, account_id);
alter table sender_shop enable row level security;
alter table sender_shop force row level security;
create policy own_account on sender_shop to tradepost_app using (account_id = current_setting('tradepost.account'));
create policy every_account on sender_shop to tradepost_platform using (true);
grant select on sender_shop to tradepost_app;
grant select, insert, delete on sender_shop to tradepost_platform;

-- One question reaches over the wall between the services, as narrow as it can be: the shop is the account that the
-- connection is bound to, and it learns of parcels for its own order only. Row security is forced on the owner, too,
-- in whose name this runs, so he gets policies that let him read.
create policy for_functions on parcel for select to current_user using (true);
create policy for_functions on sender_shop for select to current_user using (true);

-- The parcel of a number that was booked for an order of the shop, has its carrier's number and is not cancelled.
create function parcel_of_order(asked_number text, asked_order text, out account_id text, out parcel_id text)
returns setof record
language sql stable security definer set search_path = tradepost, pg_temp
begin atomic
    select p.account_id, p.id
      from sender_shop s
      join parcel p on p.account_id = s.account_id
                   and (p.tracking_number = asked_number or p.wish_id = asked_number)
     where s.shop_id = current_setting('tradepost.account', true)
       and asked_order = any (p.order_ids)
       and p.state not in ('booked', 'refused', 'cancelled')
     order by p.account_id, p.id
     limit 1;
end;
revoke all on function parcel_of_order from public;
grant execute on function parcel_of_order to tradepost_app;

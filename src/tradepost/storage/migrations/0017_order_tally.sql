-- How many orders a shop has of each day, so that a page far down its list is found without passing over every order
-- before it; docs/decisions/0010-pages-far-down.md.
--
-- Each transaction that places orders, or changes whether one waits to be shipped, adds a row of its own: two never
-- wait for each other over a count. A chore adds such rows up into one of the day.

create table order_tally (
    merchant_id text collate "C" not null references merchant (id),
    number bigint not null generated always as identity,
    day date not null, -- on which the orders were placed, UTC
    placed integer not null,
    waiting integer not null, -- for the merchant to ship them
    is_sum boolean not null default false,
    primary key (merchant_id, number)
);
create unique index order_tally_sum on order_tally (merchant_id, day) where is_sum;
create index order_tally_loose on order_tally (number) where not is_sum;
create index order_tally_days on order_tally (merchant_id, day) include (placed, waiting);

alter table order_tally enable row level security;
alter table order_tally force row level security;
create policy own_account on order_tally to tradepost_app
    using (merchant_id = current_setting('tradepost.account'));
create policy every_account on order_tally to tradepost_platform using (true);
grant select, insert, update, delete on order_tally to tradepost_app, tradepost_platform;

create function tally_placed() returns trigger
    language plpgsql set search_path from current as $$
begin
    insert into order_tally (merchant_id, day, placed, waiting)
    select merchant_id, (placed_at at time zone 'UTC')::date, count(*), count(*) filter (where state = 'approved')
      from placed group by 1, 2;
    return null;
end $$;

create function tally_gone() returns trigger
    language plpgsql set search_path from current as $$
begin
    insert into order_tally (merchant_id, day, placed, waiting)
    select merchant_id, (placed_at at time zone 'UTC')::date, -count(*), -count(*) filter (where state = 'approved')
      from gone group by 1, 2;
    return null;
end $$;

-- Most changes of an order move nothing of what is counted, and are not looked at.
create function tally_moved() returns trigger
    language plpgsql set search_path from current as $$
begin
    if old.placed_at = new.placed_at then
        insert into order_tally (merchant_id, day, placed, waiting)
        values (new.merchant_id, (new.placed_at at time zone 'UTC')::date, 0,
                (new.state = 'approved')::integer - (old.state = 'approved')::integer);
    else
        insert into order_tally (merchant_id, day, placed, waiting)
        values (old.merchant_id, (old.placed_at at time zone 'UTC')::date, -1, -(old.state = 'approved')::integer),
               (new.merchant_id, (new.placed_at at time zone 'UTC')::date, 1, (new.state = 'approved')::integer);
    end if;
    return null;
end $$;

create trigger tally_placed after insert on orders referencing new table as placed
    for each statement execute function tally_placed();
create trigger tally_gone after delete on orders referencing old table as gone
    for each statement execute function tally_gone();
create trigger tally_moved after update on orders for each row
    when ((old.state = 'approved') <> (new.state = 'approved') or old.placed_at <> new.placed_at)
    execute function tally_moved();

-- The orders that are there. Row security is forced, so only the platform's role sees those of all shops.
do $$
declare
    before text := current_user;
begin
    set local role tradepost_platform;
    insert into order_tally (merchant_id, day, placed, waiting, is_sum)
    select merchant_id, (placed_at at time zone 'UTC')::date, count(*), count(*) filter (where state = 'approved'),
           true
      from orders group by 1, 2;
    execute format('set local role %I', before);
end $$;

-- What the dashboard lists beside what the API does: orders of one state, the last placed first, and an account's own
-- jobs, the last asked for first. A state is a reason of the indexes of orders already, so another one that has it
-- costs a change of state an entry and no more.

create index orders_state on orders (merchant_id, state, placed_at, id);
create index job_asked on job (account_id, created_at desc, id desc);

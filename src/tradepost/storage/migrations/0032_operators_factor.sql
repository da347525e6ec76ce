-- Operators, too, are asked for a code after their password, where they have set a second factor up, and show once more
-- who they are before that changes. What the factor is made of is kept where everybody's is.
alter table operator_session
    add column needs_code boolean not null default false,
    add column proved_at timestamptz;

-- New recovery codes take the place of the old ones.
grant delete on recovery_code to tradepost_app;

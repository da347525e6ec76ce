-- When the carrier of a parcel has something to tell next, where he is one who has to be asked.
alter table parcel add column next_scan_at timestamptz;
create index parcel_awaited on parcel (account_id, next_scan_at, id) where next_scan_at is not null;

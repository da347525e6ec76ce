-- Parcels of several calls whose labels are wanted in one file: the older generation marks them.

alter table parcel add column mark text collate "C";
create index parcel_of_mark on parcel (account_id, mark, created_at, id) where mark is not null;

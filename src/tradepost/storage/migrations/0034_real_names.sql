-- Who sends parcels shows by his real name who he is; whoever is found not to have done so books nothing until he has.
alter table shipper add column unverified_at timestamptz;

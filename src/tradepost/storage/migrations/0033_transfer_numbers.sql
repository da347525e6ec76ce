-- Transfers are numbered by account, behind the last one there, and no more by a counter that all accounts share: what
-- happens to one account says nothing of another, and a world with a seed numbers them the same way each time.
drop sequence transfer_id;

-- One household of ours may be seen by several towns: the same member is then named by each of them.
alter table membership drop constraint membership_pkey;
alter table membership add primary key (household_id, person_id, town, valid_from_on);

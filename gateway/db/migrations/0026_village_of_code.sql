-- A household that several towns know lives in one village for each of them: the village belongs to a town's code.
alter table household_code add column village text not null default '';
update household_code c set village = h.village from household h where h.household_id = c.household_id;

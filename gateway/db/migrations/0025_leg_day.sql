-- A day's redemptions at a town, for reconciliation.
create index redemption_leg_asked on redemption_leg (town, asked_at);

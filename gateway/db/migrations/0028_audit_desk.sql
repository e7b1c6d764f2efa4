-- Auditors look at residents too, for reasons of their own.
alter table staff_look drop constraint staff_look_reason_check;
alter table staff_look add constraint staff_look_reason_check check (reason in
    ('redemption', 'enquiry', 'complaint', 'correction',
     'audit_routine', 'audit_sample', 'audit_objection', 'audit_anomaly', 'audit_regulator'));

-- What one member of staff looked at; what was decided in a period (rows come in the order of time).
create index staff_look_staff on staff_look (staff_id, looked_at);
create index decision_period on decision using brin (decided_at) with (pages_per_range = 32, autosummarize = on);

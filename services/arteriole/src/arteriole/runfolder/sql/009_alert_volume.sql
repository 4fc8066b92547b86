-- which volume is short of space, by the key of its first root; empty for any other alert
ALTER TABLE alert ADD COLUMN volume TEXT NOT NULL DEFAULT '';
DROP INDEX alert_run;
CREATE INDEX alert_subject ON alert (what, run, volume);

-- The order in which the API lists them.
CREATE INDEX trigger_instances_time ON trigger_instances (occurrence_time, id);
CREATE INDEX rule_enforcements_time ON rule_enforcements (enforced_at, id);

-- What packs and people register: packs, actions, rules, sensors, trigger types, triggers, aliases,
-- policies. `file_enabled` is what the file said when it was last read, so that a choice made
-- through the API outlives a registration of the unchanged file.
CREATE TABLE resources (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    ref TEXT NOT NULL,
    pack TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    file_enabled INTEGER,
    document TEXT NOT NULL,
    UNIQUE (kind, ref)
);

CREATE TABLE trigger_instances (
    id TEXT PRIMARY KEY,
    trigger TEXT NOT NULL,
    payload TEXT NOT NULL,
    occurrence_time TEXT NOT NULL,
    status TEXT NOT NULL,
    trace_tag TEXT
);
CREATE INDEX trigger_instances_status ON trigger_instances (status, id);
CREATE INDEX trigger_instances_trigger ON trigger_instances (trigger, id);

CREATE TABLE rule_enforcements (
    id TEXT PRIMARY KEY,
    trigger_instance_id TEXT NOT NULL,
    rule_id TEXT NOT NULL,
    rule_ref TEXT NOT NULL,
    execution_id TEXT,
    failure_reason TEXT,
    status TEXT NOT NULL,
    enforced_at TEXT NOT NULL
);
CREATE INDEX rule_enforcements_instance ON rule_enforcements (trigger_instance_id);
CREATE INDEX rule_enforcements_rule ON rule_enforcements (rule_ref, id);
CREATE INDEX rule_enforcements_execution ON rule_enforcements (execution_id);

CREATE TABLE timers (
    trigger TEXT PRIMARY KEY,
    due TEXT NOT NULL
);

-- `owner` is empty for the scope 'system'.
CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    scope TEXT NOT NULL,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    secret INTEGER NOT NULL,
    description TEXT,
    expires TEXT,
    UNIQUE (scope, owner, name)
);

CREATE TABLE users (
    name TEXT PRIMARY KEY,
    password TEXT NOT NULL,
    admin INTEGER NOT NULL
);

CREATE TABLE tokens (
    digest TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    user TEXT NOT NULL,
    service INTEGER NOT NULL,
    expiry TEXT NOT NULL
);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    user TEXT NOT NULL,
    metadata TEXT NOT NULL,
    enabled INTEGER NOT NULL,
    created_at TEXT NOT NULL
);

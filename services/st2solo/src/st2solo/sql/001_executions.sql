CREATE TABLE executions (
    id TEXT PRIMARY KEY,
    action_ref TEXT NOT NULL,
    runner TEXT NOT NULL,
    status TEXT NOT NULL,
    user TEXT NOT NULL,
    parent TEXT,
    parameters TEXT NOT NULL,
    context TEXT NOT NULL,
    result TEXT NOT NULL,
    log TEXT NOT NULL,
    action TEXT NOT NULL,
    rule TEXT,
    trigger TEXT,
    trigger_instance TEXT,
    start_timestamp TEXT NOT NULL,
    end_timestamp TEXT,
    delay_ms INTEGER,
    due REAL
) STRICT;
CREATE INDEX executions_open ON executions (status)
    WHERE status NOT IN ('succeeded', 'failed', 'timeout', 'canceled', 'abandoned');
CREATE INDEX executions_parent ON executions (parent, start_timestamp);
CREATE INDEX executions_start ON executions (start_timestamp);
CREATE INDEX executions_action ON executions (action_ref, start_timestamp);

CREATE TABLE workflows (
    id TEXT PRIMARY KEY,
    execution_id TEXT NOT NULL UNIQUE REFERENCES executions (id),
    status TEXT NOT NULL,
    -- what never changes: spec, graph, input, context
    definition TEXT NOT NULL,
    -- what each step changes: state, log, errors, output
    progress TEXT NOT NULL,
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE workflow_tasks (
    id TEXT PRIMARY KEY,
    workflow_id TEXT NOT NULL REFERENCES workflows (id),
    task_id TEXT NOT NULL,
    route INTEGER NOT NULL,
    status TEXT NOT NULL,
    items_count INTEGER,
    result TEXT,
    start_timestamp TEXT NOT NULL,
    end_timestamp TEXT
) STRICT;
CREATE INDEX workflow_tasks_of ON workflow_tasks (workflow_id, task_id, route);

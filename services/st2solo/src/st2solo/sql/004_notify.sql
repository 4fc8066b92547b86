-- Whom to notify when an execution ends; in a workflow, of which of its tasks.
ALTER TABLE executions ADD COLUMN notify TEXT;
ALTER TABLE workflows ADD COLUMN notify TEXT;

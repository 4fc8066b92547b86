-- What is collected by age: executions that nobody else asked for, with all that they led to.
CREATE INDEX executions_ended ON executions (end_timestamp) WHERE parent IS NULL;

-- Traces: what nobody's rule asked for, in the order in which the API lists it, and by its tag.
CREATE INDEX executions_by_hand ON executions (start_timestamp, id)
    WHERE parent IS NULL AND trigger_instance IS NULL;
CREATE INDEX executions_tagged
    ON executions (coalesce(json_extract(context, '$.trace_context.trace_tag'), 'execution-' || id))
    WHERE parent IS NULL AND trigger_instance IS NULL;
CREATE INDEX trigger_instances_tag ON trigger_instances (trace_tag, occurrence_time)
    WHERE trace_tag IS NOT NULL;

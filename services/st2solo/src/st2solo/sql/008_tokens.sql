-- Of which execution a token is.
ALTER TABLE tokens ADD COLUMN execution TEXT;
UPDATE tokens SET execution = id WHERE service AND id IN (SELECT id FROM executions);

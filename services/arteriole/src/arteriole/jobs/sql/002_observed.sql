-- An observing job works out what it would do, and does nothing; frozen when it is asked for.
ALTER TABLE job ADD COLUMN observed INTEGER NOT NULL DEFAULT 0;

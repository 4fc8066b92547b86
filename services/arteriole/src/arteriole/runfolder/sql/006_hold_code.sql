-- of a hold for something that a program has found: its page in the runbook, what mends it
ALTER TABLE hold ADD COLUMN code TEXT NOT NULL DEFAULT '';
ALTER TABLE hold ADD COLUMN hint TEXT NOT NULL DEFAULT '';

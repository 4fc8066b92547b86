-- The code that run.state was computed by, as a digest (index.py).
ALTER TABLE store ADD COLUMN states_by TEXT;

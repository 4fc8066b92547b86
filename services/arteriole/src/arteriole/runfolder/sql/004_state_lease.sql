-- Arteria's state of the run as records.py computes it, so that runs can be found by it; NULL until
-- it is computed. Written in the transaction of every change (index.py), and anew at each start.
ALTER TABLE run ADD COLUMN state TEXT;
CREATE INDEX run_state ON run (state);
CREATE INDEX run_verdict ON run (verdict);
CREATE INDEX stage_state ON stage (state);

CREATE TABLE lease (
    run INTEGER PRIMARY KEY REFERENCES run (id),
    id TEXT NOT NULL UNIQUE,                -- whoever knows it has the run
    client TEXT NOT NULL,
    since TEXT NOT NULL,
    until TEXT NOT NULL,
    seconds REAL NOT NULL                   -- by so much a renewal prolongs it
);
CREATE INDEX lease_until ON lease (until);

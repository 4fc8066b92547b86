-- when the highest cycle of a run that is being sequenced was first seen; gone when it is complete
CREATE TABLE cycle (
    run INTEGER NOT NULL REFERENCES run (id),
    cycle INTEGER NOT NULL,
    seen TEXT NOT NULL,
    PRIMARY KEY (run, cycle)
) WITHOUT ROWID;

-- what people should be told of, once each; alerts.py
CREATE TABLE alert (
    id INTEGER PRIMARY KEY,
    what TEXT NOT NULL,
    run TEXT NOT NULL,          -- '' for the sensor
    about TEXT NOT NULL,        -- the code, or the cycle at which it stands
    code TEXT NOT NULL,
    raised TEXT NOT NULL,
    cleared TEXT,
    teller TEXT,                -- who tells people of it now
    lease TEXT,                 -- until when that one has the time to
    told TEXT
);
CREATE INDEX alert_run ON alert (what, run);

ALTER TABLE run ADD COLUMN metrics TEXT;        -- JSON: what the instrument measured, of InterOp
ALTER TABLE store ADD COLUMN sensor_seen TEXT;  -- to the day

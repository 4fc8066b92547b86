CREATE TABLE attempt (
    run INTEGER NOT NULL REFERENCES run (id),
    attempt INTEGER NOT NULL,
    made TEXT NOT NULL,
    observed INTEGER NOT NULL DEFAULT 0,    -- only what would be done is worked out, for good
    degraded INTEGER NOT NULL DEFAULT 0,    -- made under a waiver, for good
    ignore TEXT NOT NULL DEFAULT '[]',      -- JSON: what the waiver lets the conversion ignore
    PRIMARY KEY (run, attempt)
);
INSERT INTO attempt (run, attempt, made)
    SELECT DISTINCT stage.run, stage.attempt, coalesce(
        (SELECT min(event.time) FROM event WHERE event.run = run.name
            AND event.attempt = stage.attempt AND event.what IN ('claimed', 'stage_ready')),
        run.claimed, run.first_seen)
    FROM stage JOIN run ON run.id = stage.run;

CREATE TABLE abort (
    run INTEGER NOT NULL REFERENCES run (id),
    attempt INTEGER NOT NULL,               -- 0: the run was dismissed before its first claim
    aborted_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    time TEXT NOT NULL,
    PRIMARY KEY (run, attempt)
);

CREATE TABLE hold (
    scope TEXT NOT NULL,                    -- run instrument all
    name TEXT NOT NULL,                     -- of the run or instrument; '' for all
    reason TEXT NOT NULL,
    held_by TEXT NOT NULL,
    since TEXT NOT NULL,
    PRIMARY KEY (scope, name)
);
INSERT OR IGNORE INTO hold (scope, name, reason, held_by, since)
    SELECT 'run', run.name, run.held,
        coalesce((SELECT event.who FROM event WHERE event.run = run.name AND event.what = 'held'
            ORDER BY event.id DESC LIMIT 1), 'unknown'),
        coalesce((SELECT event.time FROM event WHERE event.run = run.name AND event.what = 'held'
            ORDER BY event.id DESC LIMIT 1), run.first_seen)
    FROM run WHERE run.held IS NOT NULL;
ALTER TABLE run DROP COLUMN held;

ALTER TABLE run ADD COLUMN instrument TEXT NOT NULL DEFAULT '';  -- as the evidence last told
ALTER TABLE run ADD COLUMN waiver TEXT;  -- JSON: by, reason, ignore, time

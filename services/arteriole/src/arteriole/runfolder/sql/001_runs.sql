CREATE TABLE store (epoch TEXT NOT NULL, first_scan TEXT);

CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time TEXT NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    run TEXT,
    stage TEXT,
    attempt INTEGER,
    payload TEXT NOT NULL
);
CREATE INDEX event_run ON event (run, id);

CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    path TEXT NOT NULL UNIQUE,
    first_seen TEXT NOT NULL,
    adopted INTEGER NOT NULL,
    verdict TEXT NOT NULL,              -- verdict.py
    verdict_since TEXT NOT NULL,
    code TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    hint TEXT NOT NULL DEFAULT '',
    evidence TEXT NOT NULL DEFAULT '{}',
    metadata TEXT NOT NULL DEFAULT '{}',
    arteria_state TEXT,                 -- set by a client of Arteria, for a run that is not claimed
    attempt INTEGER NOT NULL DEFAULT 0, -- the newest; 0 until the run is claimed
    plan TEXT NOT NULL DEFAULT '{}',
    claimed_by TEXT,
    claimed TEXT,
    held TEXT                           -- the reason of the hold
);
CREATE INDEX run_name ON run (name);

CREATE TABLE stage (
    run INTEGER NOT NULL REFERENCES run (id),
    stage TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    position INTEGER NOT NULL,
    after TEXT NOT NULL,                -- JSON: the stages that must be done before
    time_limit INTEGER NOT NULL,        -- seconds
    state TEXT NOT NULL,                -- waiting running held done failed skipped
    ready TEXT,                         -- since when it may begin
    try INTEGER NOT NULL DEFAULT 1,
    releases INTEGER NOT NULL DEFAULT 0,
    begun_by TEXT,
    begun TEXT,
    lease TEXT,                         -- until when a begin without a job holds
    service TEXT,
    job_id INTEGER,
    ended TEXT,
    code TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    hint TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (run, stage, attempt)
);

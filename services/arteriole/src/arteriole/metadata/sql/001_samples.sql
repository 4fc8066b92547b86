CREATE TABLE store (epoch TEXT NOT NULL);

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

CREATE TABLE sample_version (
    sample TEXT NOT NULL,
    version INTEGER NOT NULL,           -- from 1; a new one only if the record differs
    digest TEXT NOT NULL,               -- SHA-256 of record
    record TEXT NOT NULL,               -- JSON
    project TEXT NOT NULL,              -- the record's
    source TEXT NOT NULL,               -- which told it first
    time TEXT NOT NULL,
    PRIMARY KEY (sample, version)
);

CREATE TABLE freeze (
    run TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    made TEXT NOT NULL,
    told TEXT,                          -- when all that was missing was known, and told
    PRIMARY KEY (run, attempt)
);

CREATE TABLE frozen (
    run TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    sample TEXT NOT NULL,
    version INTEGER NOT NULL,
    time TEXT NOT NULL,
    PRIMARY KEY (run, attempt, sample),
    FOREIGN KEY (run, attempt) REFERENCES freeze (run, attempt),
    FOREIGN KEY (sample, version) REFERENCES sample_version (sample, version)
);

CREATE TABLE missing (
    run TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    sample TEXT NOT NULL,               -- as asked for; it may be no identifier
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    known INTEGER NOT NULL DEFAULT 0,   -- it can be frozen now
    since TEXT NOT NULL,
    PRIMARY KEY (run, attempt, sample),
    FOREIGN KEY (run, attempt) REFERENCES freeze (run, attempt)
);

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

-- A job is a row first; only then is its process started.
CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,       -- Idempotency-Key
    digest TEXT NOT NULL,           -- of the request's body
    run TEXT NOT NULL,
    stage TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    parameters TEXT NOT NULL,       -- JSON: what the worker is given
    state TEXT NOT NULL,            -- pending started done error cancelled
    starts INTEGER NOT NULL DEFAULT 0,
    who TEXT NOT NULL,
    created TEXT NOT NULL,
    started TEXT,
    ended TEXT,
    exit_code INTEGER,
    code TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    hint TEXT NOT NULL DEFAULT '',
    result TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX job_state ON job (state);
CREATE INDEX job_run ON job (run, stage, attempt);

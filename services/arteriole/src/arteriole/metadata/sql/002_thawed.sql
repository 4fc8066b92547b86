-- What was frozen, and was given up again by a person because the record had been wrong.
CREATE TABLE thawed (
    run TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    sample TEXT NOT NULL,
    version INTEGER NOT NULL,
    frozen TEXT NOT NULL,
    thawed_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    time TEXT NOT NULL,
    FOREIGN KEY (sample, version) REFERENCES sample_version (sample, version)
);

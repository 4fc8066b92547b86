-- a person waived a rule of sample sheets for a run; the attempts made from then on go by it
CREATE TABLE waived_rule (
    run INTEGER NOT NULL REFERENCES run (id),
    rule TEXT NOT NULL,                 -- the code of its finding
    waived_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    time TEXT NOT NULL,
    PRIMARY KEY (run, rule)
) WITHOUT ROWID;

ALTER TABLE attempt ADD COLUMN waived_rules TEXT NOT NULL DEFAULT '[]';  -- JSON, for good

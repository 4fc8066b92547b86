-- Packs that people installed: the row says which folder of installed packs is in force.
CREATE TABLE installed_packs (
    ref TEXT PRIMARY KEY,
    folder TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    revision TEXT NOT NULL,
    installed_at TEXT NOT NULL
) STRICT;

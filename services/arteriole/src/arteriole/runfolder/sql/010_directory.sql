-- the monitored directories whose first scan is done: what is seen there later is new; directories.py
CREATE TABLE directory (
    path TEXT PRIMARY KEY,      -- as it is configured
    real TEXT,                  -- where that led to; NULL until the first scan after the upgrade
    inode TEXT,                 -- of what was scanned, while no run was seen there
    first_scan TEXT NOT NULL
) WITHOUT ROWID;
-- Which directories a store had scanned is known of those in which it has a run. Of one without it
-- is not known whether it was monitored at all, so its next scan is its first.
INSERT INTO directory (path, first_scan)
    SELECT DISTINCT substr(run.path, 1, length(run.path) - length(run.name) - 1), store.first_scan
    FROM run, store WHERE store.first_scan IS NOT NULL;
ALTER TABLE store DROP COLUMN first_scan;

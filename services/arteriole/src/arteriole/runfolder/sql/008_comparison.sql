-- the comparison of a run's indexes with its sheet, which is due once they are read; comparisons.py
CREATE TABLE comparison (
    run INTEGER PRIMARY KEY REFERENCES run (id),
    due TEXT NOT NULL,
    service TEXT,
    job_id INTEGER,
    begun TEXT,
    judged TEXT
);

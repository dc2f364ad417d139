-- No foreign keys: they make loads three times slower and block corrections; the load checks references itself.
-- Primary keys only on the small tables.

CREATE TABLE source (
    source_id INTEGER PRIMARY KEY,
    name VARCHAR NOT NULL
);

CREATE TABLE load (
    load_id INTEGER PRIMARY KEY,
    source_id INTEGER NOT NULL,
    file VARCHAR,
    content_hash VARCHAR NOT NULL,
    mode VARCHAR NOT NULL,
    "read" BIGINT NOT NULL,
    "rows" BIGINT NOT NULL,
    accepted BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    unchanged BIGINT NOT NULL,
    retired BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    rejected_values BIGINT NOT NULL,
    changed BOOLEAN NOT NULL,          -- whether any observation was added or retired
    last_event TIMESTAMP,              -- the latest time the data speak of: what "now" is for them
    loaded_at TIMESTAMP NOT NULL,      -- UTC
    loaded_by VARCHAR NOT NULL,
    package_version VARCHAR NOT NULL,
    definition VARCHAR NOT NULL        -- how the source was declared, JSON
);

CREATE TABLE rejected (
    load_id INTEGER NOT NULL,
    line BIGINT,                       -- physical line of the file, the header being line 1; row number of a frame
    measure VARCHAR,                   -- set when only this measure's value was rejected, not the row
    "column" VARCHAR,
    reason VARCHAR NOT NULL,
    original VARCHAR
);

-- One line per source row and version of its content; row_id stays with the key of the row for ever.
CREATE TABLE source_row (
    source_id INTEGER NOT NULL,
    row_id BIGINT NOT NULL,
    key_high UBIGINT NOT NULL,         -- the two halves of the MD5 of the key
    key_low UBIGINT NOT NULL,
    content_high UBIGINT NOT NULL,
    content_low UBIGINT NOT NULL,
    load_id INTEGER NOT NULL,
    retired_load_id INTEGER
);

CREATE TABLE measure (
    measure_id INTEGER PRIMARY KEY,
    name VARCHAR NOT NULL,
    clock VARCHAR NOT NULL             -- 'UTC' or 'local'
);

CREATE TABLE measure_source (
    measure_id INTEGER NOT NULL,
    source_id INTEGER NOT NULL
);

CREATE TABLE attribute (
    measure_id INTEGER NOT NULL,
    position INTEGER NOT NULL,         -- 1-based place in series.attribute_values
    name VARCHAR NOT NULL,
    type VARCHAR NOT NULL              -- text, integer, number, boolean, date, time
);

-- A series: one combination of attribute values of a measure.
CREATE TABLE series (
    series_id INTEGER NOT NULL,
    measure_id INTEGER NOT NULL,
    attribute_values VARCHAR[] NOT NULL
);

-- Rows are written in order of (series_id, time) within a load.
CREATE TABLE observation (
    series_id INTEGER NOT NULL,
    time TIMESTAMP,                    -- NULL only for an open item without a time of its own
    value DOUBLE,                      -- NULL: a gap, or an open item when started is set
    size DOUBLE,                       -- the denominator
    censored BOOLEAN NOT NULL,
    item VARCHAR,
    started TIMESTAMP,
    known TIMESTAMP,                   -- NULL: known at its time
    row_id BIGINT NOT NULL,
    load_id INTEGER NOT NULL,
    retired_load_id INTEGER
);

-- What people declare and decide, in versions.
CREATE TABLE record (
    record_id INTEGER PRIMARY KEY,
    kind VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    content VARCHAR NOT NULL,          -- JSON
    declared_at TIMESTAMP NOT NULL     -- UTC
);

CREATE TABLE result (
    name VARCHAR NOT NULL,
    version INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    measure VARCHAR NOT NULL,
    verdict VARCHAR NOT NULL,
    content VARCHAR NOT NULL,          -- JSON
    saved_at TIMESTAMP NOT NULL,       -- UTC
    saved_by VARCHAR NOT NULL,
    note VARCHAR NOT NULL,
    package_version VARCHAR NOT NULL
);

-- Bulk runs. The columns of a run are in a table of its own, runs.run_<run_id>.
CREATE SCHEMA runs;

CREATE TABLE run (
    run_id INTEGER PRIMARY KEY,
    key VARCHAR NOT NULL,
    method VARCHAR NOT NULL,           -- JSON
    selection VARCHAR NOT NULL,        -- JSON
    columns VARCHAR NOT NULL,          -- JSON
    series INTEGER NOT NULL,
    started_at TIMESTAMP NOT NULL,     -- UTC
    finished_at TIMESTAMP,             -- UTC; NULL while it is not complete
    package_version VARCHAR NOT NULL
);

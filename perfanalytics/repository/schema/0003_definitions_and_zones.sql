-- What the observations of a measure were read by: its expressions and unit in one source. A changed definition is a
-- new row, so that values under different definitions are told apart. NULL in an observation: not known.

CREATE TABLE definition (
    definition_id INTEGER PRIMARY KEY,
    measure_id INTEGER NOT NULL,
    source_id INTEGER NOT NULL,
    content VARCHAR NOT NULL,          -- JSON: part of the measure -> expression, and the unit
    load_id INTEGER NOT NULL           -- the first load that used it
);

ALTER TABLE observation ADD COLUMN definition_id INTEGER;

-- The zone in which the source writes its times: periods of the measure are cut in it.
ALTER TABLE measure_source ADD COLUMN zone VARCHAR;

-- Which columns the observations of a measure use, so that queries can leave the others out.
-- A measure of which it is not known counts as using all.

ALTER TABLE measure ADD COLUMN has_start BOOLEAN DEFAULT true;
ALTER TABLE measure ADD COLUMN has_known BOOLEAN DEFAULT true;
ALTER TABLE measure ADD COLUMN has_censored BOOLEAN DEFAULT true;
ALTER TABLE measure ADD COLUMN has_sizes BOOLEAN DEFAULT true;
ALTER TABLE measure ADD COLUMN has_items BOOLEAN DEFAULT true;

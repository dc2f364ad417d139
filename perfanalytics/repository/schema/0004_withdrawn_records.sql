-- Which plan declared a version of a record, and whether it was withdrawn: what a plan no longer names gets a last
-- version that says so. Nothing is deleted. NULL: declared from Python, or before plans were told apart.

ALTER TABLE record ADD COLUMN plan VARCHAR;
ALTER TABLE record ADD COLUMN withdrawn BOOLEAN;

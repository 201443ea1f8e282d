-- Undoes an authorization of which nothing was captured, or blocks a reference that is not known.
-- One statement, so that of a reversal and a late authorization with the same reference one waits
-- for the other. Returns no row when something was captured.
INSERT INTO authorizations AS a (reference, status)
VALUES ($1, 'REVERSED')
ON CONFLICT (reference) DO UPDATE
SET
    status = 'REVERSED',
    -- A declined authorization holds nothing, and neither does a tombstone.
    released = CASE WHEN a.approval_code IS NULL THEN 0 ELSE a.minor_units END,
    version = a.version + 1,
    updated_at = now()
WHERE a.captured = 0
RETURNING a.reference;

-- Undoes an authorization, or blocks a reference that is not known; of one that was captured in part
-- the rest is released. One statement, so that of a reversal and a late authorization with the same
-- reference one waits for the other.
INSERT INTO authorizations AS a (reference, status)
VALUES ($1, 'REVERSED')
ON CONFLICT (reference) DO UPDATE
SET
    status = CASE WHEN a.captured = 0 THEN 'REVERSED' ELSE 'CLOSED' END,
    -- A declined authorization holds nothing, and neither does a tombstone.
    released = CASE WHEN a.approval_code IS NULL THEN 0 ELSE a.minor_units - a.captured END,
    version = a.version + 1,
    updated_at = now();

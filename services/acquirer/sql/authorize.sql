-- Records an authorization, or returns the one that has the reference already: a twin, which it
-- waits for while uncommitted, or the tombstone of a reversal that came first. The update that
-- changes nothing is what makes RETURNING show a row that this statement's snapshot may not see.
INSERT INTO authorizations
    (reference, status, scenario, minor_units, currency, decline_code, approval_code)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (reference) DO UPDATE SET reference = excluded.reference
RETURNING
    reference, status, scenario, minor_units, currency, captured, refunded, released,
    decline_code, approval_code, version;

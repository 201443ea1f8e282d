-- Records an approved operation together with what it changes, or neither: returns no row when
-- the authorization is no longer at the expected version, or the reference is in use. The order
-- matters: the version is checked under the row lock before the reference is taken.
WITH locked AS (
    SELECT reference FROM authorizations
    WHERE reference = $2 AND version = $7
    FOR NO KEY UPDATE
),

recorded AS (
    INSERT INTO operations
        (reference, authorization_reference, verb, minor_units, final, approval_code)
    SELECT $1, locked.reference, $3, $4, $5, $6 FROM locked
    ON CONFLICT (reference) DO NOTHING
    RETURNING authorization_reference
)

UPDATE authorizations AS a
SET
    status = $8,
    captured = $9,
    refunded = $10,
    released = $11,
    version = a.version + 1,
    updated_at = now()
FROM recorded
WHERE a.reference = recorded.authorization_reference
RETURNING a.reference;

-- Records a refused operation; nothing else changes. Returns no row when the reference is in use.
INSERT INTO operations
    (reference, authorization_reference, verb, minor_units, final, remainder, decline_code)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (reference) DO NOTHING
RETURNING reference;

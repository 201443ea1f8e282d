-- Records a group of approved operations, each together with what it changes, or neither. Returns
-- those that were recorded. The others' authorizations are no longer at the expected version, or
-- their references are in use; of several operations on one authorization the first goes.
--
-- The order matters: the versions are compared on locked rows, never in the snapshot, before the
-- references are taken; and both are done in one order, so that concurrent groups cannot deadlock.
WITH input AS MATERIALIZED (
    SELECT
        i.*,
        row_number() OVER (PARTITION BY i.authorization_reference ORDER BY i.ord) AS nth
    FROM unnest(
        $1::text[], $2::text[], $3::text[], $4::bigint[], $5::boolean[], $6::boolean[], $7::text[],
        $8::bigint[], $9::text[], $10::bigint[], $11::bigint[], $12::bigint[]
    ) WITH ORDINALITY AS i (
        reference, authorization_reference, verb, minor_units, final, remainder, approval_code,
        version, status, captured, refunded, released,
        ord
    )
),

fresh AS MATERIALIZED (
    SELECT locked.*
    FROM (
        SELECT input.*, a.version AS held_version
        FROM authorizations AS a
        INNER JOIN input ON a.reference = input.authorization_reference
        WHERE input.nth = 1
        ORDER BY a.reference
        FOR NO KEY UPDATE OF a
    ) AS locked
    WHERE locked.held_version = locked.version
),

recorded AS (
    INSERT INTO operations
        (reference, authorization_reference, verb, minor_units, final, remainder, approval_code)
    SELECT reference, authorization_reference, verb, minor_units, final, remainder, approval_code
    FROM fresh
    ORDER BY reference
    ON CONFLICT (reference) DO NOTHING
    RETURNING reference, authorization_reference
)

UPDATE authorizations AS a
SET
    status = fresh.status,
    captured = fresh.captured,
    refunded = fresh.refunded,
    released = fresh.released,
    version = a.version + 1,
    updated_at = now()
FROM fresh
INNER JOIN recorded
    ON fresh.reference = recorded.reference
    -- Two operations of one group may want the same reference.
    AND fresh.authorization_reference = recorded.authorization_reference
WHERE a.reference = fresh.authorization_reference
RETURNING fresh.ord;

-- Records a group of authorizations, or returns those that have the references already: twins, which
-- it waits for while uncommitted, or the tombstones of reversals that came first. The update that
-- changes nothing is what makes RETURNING show a row that this statement's snapshot may not see.
-- In one order, so that concurrent groups cannot deadlock. A reference that stands twice in a group
-- is an error. Does nothing, and returns no row, if rules were changed since the version $8.
INSERT INTO authorizations
    (reference, status, scenario, minor_units, currency, decline_code, approval_code)
SELECT i.reference, i.status, i.scenario, i.minor_units, i.currency, i.decline_code, i.approval_code
FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[]
) AS i (reference, status, scenario, minor_units, currency, decline_code, approval_code)
WHERE (SELECT version FROM rules_version) <= $8::bigint
ORDER BY i.reference
ON CONFLICT (reference) DO UPDATE SET reference = excluded.reference
RETURNING
    reference, status, scenario, minor_units, currency, captured, refunded, released,
    decline_code, approval_code, version;

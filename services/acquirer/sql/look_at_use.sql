-- Which rule was used for an operation, NULL if none was; for how long that has been so; and whether the
-- book has the operation.
SELECT
    u.rule_id,
    extract(EPOCH FROM clock_timestamp() - u.created_at)::double precision AS seconds,
    EXISTS(SELECT FROM authorizations WHERE reference = $1)
    OR EXISTS(SELECT FROM operations WHERE reference = $1) AS is_recorded
FROM (SELECT $1::text AS reference) AS asked
LEFT JOIN rule_uses AS u ON asked.reference = u.reference;

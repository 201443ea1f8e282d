-- For each of a group the authorization $1 and the operation $2, each all NULL when there is none:
-- a row for each, in the group's order, with the version of
-- the rules at that moment.
SELECT
    a.reference, a.status, a.scenario, a.minor_units, a.currency, a.captured, a.refunded,
    a.released, a.decline_code, a.approval_code, a.version,
    o.reference AS operation_reference,
    o.authorization_reference AS operation_authorization_reference,
    o.verb AS operation_verb,
    o.minor_units AS operation_minor_units,
    o.final AS operation_final,
    o.remainder AS operation_remainder,
    o.decline_code AS operation_decline_code,
    o.approval_code AS operation_approval_code,
    (SELECT version FROM rules_version) AS rules_version
FROM unnest($1::text[], $2::text[])
WITH ORDINALITY AS wanted (authorization_reference, reference, ord)
LEFT JOIN authorizations AS a ON wanted.authorization_reference = a.reference
LEFT JOIN operations AS o ON wanted.reference = o.reference
ORDER BY wanted.ord;

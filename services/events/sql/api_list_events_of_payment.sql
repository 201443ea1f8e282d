-- A payment's events, newest first ($5 of them), of one type unless $4 is null.
--
-- At most $6 are looked at; see api_list_events.sql.
WITH scanned AS MATERIALIZED (
  SELECT id, sequence, type
  FROM outbox
  WHERE merchant_id = $1 AND payment_id = $2 AND sequence < $3::bigint
  ORDER BY sequence DESC
  LIMIT $6
),
found AS MATERIALIZED (
  SELECT id, sequence
  FROM scanned
  WHERE $4::text IS NULL OR type = $4
  ORDER BY sequence DESC
  LIMIT $5
),
cut_short AS (
  SELECT min(sequence) AS sequence
  FROM scanned
  HAVING count(*) = $6::bigint AND (SELECT count(*) FROM found) < $5::bigint
)
SELECT f.sequence, o.payload
FROM found f
JOIN outbox o ON o.merchant_id = $1 AND o.id = f.id
UNION ALL
SELECT c.sequence, NULL FROM cut_short c
ORDER BY sequence DESC

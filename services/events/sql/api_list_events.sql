-- A merchant's events, newest first ($4 of them), of one type unless $3 is null.
--
-- At most $5 are looked at, so that a rare type costs no more than a frequent one. If there was more
-- to look at, the last row has no payload, and says where to go on.
WITH scanned AS MATERIALIZED (
  SELECT id, type
  FROM outbox
  WHERE merchant_id = $1 AND id < $2
  ORDER BY id DESC
  LIMIT $5
),
found AS MATERIALIZED (
  SELECT id
  FROM scanned
  WHERE $3::text IS NULL OR type = $3
  ORDER BY id DESC
  LIMIT $4
),
cut_short AS (
  SELECT min(id COLLATE "C") AS id
  FROM scanned
  HAVING count(*) = $5::bigint AND (SELECT count(*) FROM found) < $4::bigint
)
SELECT o.id, o.payload
FROM found f
JOIN outbox o ON o.merchant_id = $1 AND o.id = f.id
UNION ALL
SELECT c.id, NULL FROM cut_short c
ORDER BY id DESC

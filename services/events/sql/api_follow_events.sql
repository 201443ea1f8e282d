-- A merchant's events between two places, made in a period, of one type unless $10 is null; the first
-- committed first: $8 of them. See api_list_events.sql.
SELECT *
FROM (
  SELECT
    o.*,
    create_time >= $6 AND create_time < $7 AND ($10::text IS NULL OR type = $10) AS is_wanted,
    row_number() OVER (ORDER BY commit_order, id) = $9 AS is_last
  FROM (
    SELECT id, type, payload, create_time, commit_order
    FROM outbox
    WHERE merchant_id = $1
      AND commit_order >= 0
      AND (commit_order, id) > ($2::bigint, $3) AND (commit_order, id) < ($4::bigint, $5)
      AND commit_order < (SELECT commit_order_end('outbox'))
    ORDER BY commit_order, id
    LIMIT $9::bigint
  ) o
) looked_at
WHERE is_wanted OR is_last
ORDER BY commit_order, id
LIMIT $8

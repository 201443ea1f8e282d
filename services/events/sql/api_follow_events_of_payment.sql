-- The events of the payment $11 between two places, made in a period, of one type unless $10 is null;
-- the first committed first: $8 of them. See api_list_events_of_payment.sql.
SELECT *
FROM (
  SELECT
    o.*,
    create_time >= $6 AND create_time < $7 AND ($10::text IS NULL OR type = $10) AS is_wanted,
    row_number() OVER (ORDER BY commit_order) = $9 AS is_last
  FROM (
    SELECT id, type, payload, create_time, sequence AS commit_order
    FROM outbox
    WHERE merchant_id = $1 AND payment_id = $11
      AND (sequence, id) > ($2::bigint, $3) AND (sequence, id) < ($4::bigint, $5)
    ORDER BY sequence
    LIMIT $9::bigint
  ) o
) looked_at
WHERE is_wanted OR is_last
ORDER BY commit_order
LIMIT $8

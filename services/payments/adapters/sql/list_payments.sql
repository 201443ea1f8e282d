-- A merchant's payments between two places, made in a period, the last committed first: $8 of them.
--
-- At most $9 are looked at: if that was not enough, the last row `is_last`, wanted or not. Rows that
-- others may still come before are left out.
SELECT
  id, status,
  authorization_state = 'APPROVED'
    AND NOT (closing OR closed OR voiding OR voided OR expiring OR expired) AS is_open,
  currency, authorized, captured, capturing, refunded, refunding,
  card_brand, card_last4, card_expiry_month, card_expiry_year, card_token,
  reference, decline_code, create_time, update_time, expire_time,
  commit_order, is_wanted, is_last,
  (SELECT reading FROM sandbox_clocks WHERE merchant_id = $1) AS clock
FROM (
  SELECT
    p.*,
    create_time >= $6 AND create_time < $7 AS is_wanted,
    row_number() OVER (ORDER BY commit_order DESC, id DESC) = $9 AS is_last
  FROM (
    SELECT *
    FROM payments
    WHERE merchant_id = $1
      AND commit_order >= 0 -- only the index for it says so
      AND (commit_order, id) > ($2::bigint, $3) AND (commit_order, id) < ($4::bigint, $5)
      AND commit_order < (SELECT commit_order_end('payments'))
    ORDER BY commit_order DESC, id DESC
    LIMIT $9::bigint
  ) p
) looked_at
WHERE is_wanted OR is_last
ORDER BY commit_order DESC, id DESC
LIMIT $8

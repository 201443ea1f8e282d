-- The actions of a payment, as `ActionView` has them, oldest first. A payment always has its
-- authorization, so that no row at all with $3 = 0 means no such payment.
SELECT
  id, payment_id, type, status, currency, minor_units,
  reference, decline_code, approval_code, sequence, create_time, update_time
FROM actions
WHERE merchant_id = $1 AND payment_id = $2 AND sequence > $3
ORDER BY sequence
LIMIT $4

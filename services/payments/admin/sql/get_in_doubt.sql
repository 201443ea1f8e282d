-- An action that is in doubt, and whether the operator may say how it ended: see list_stuck.sql.
-- Shards: each.
SELECT
  type,
  create_time < gateway_now(a.merchant_id) - $2::interval AND NOT (type = 'AUTHORIZE' AND EXISTS (
    SELECT FROM actions r
    WHERE r.merchant_id = a.merchant_id AND r.payment_id = a.payment_id
      AND r.type = 'REVERSE' AND r.status = 'PENDING')) AS is_stuck
FROM actions a
WHERE id = $1 AND status = 'PENDING'

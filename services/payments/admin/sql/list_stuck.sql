-- Actions that are in doubt for too long, from the one after $2 on, by their ids, which is by their
-- age. An authorization that is being reversed is not among them: it ends with its reversal.
-- Shards: each.
SELECT merchant_id, id, payment_id, type, resolution, create_time
FROM actions a
WHERE status = 'PENDING'
  AND create_time < gateway_now(a.merchant_id) - $1::interval
  AND id > $2
  AND NOT (type = 'AUTHORIZE' AND EXISTS (
    SELECT FROM actions r
    WHERE r.merchant_id = a.merchant_id AND r.payment_id = a.payment_id
      AND r.type = 'REVERSE' AND r.status = 'PENDING'))
ORDER BY id
LIMIT $3

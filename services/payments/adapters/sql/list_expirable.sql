-- Payments that are past their time, still hold money, and have no action in flight.
SELECT merchant_id, id
FROM payments
WHERE status IN ('AUTHORIZED', 'PARTIALLY_CAPTURED')
  AND expire_time <= gateway_now()
  AND NOT (expiring OR voiding OR closing OR capturing > 0 OR refunding > 0)
ORDER BY expire_time
LIMIT $1

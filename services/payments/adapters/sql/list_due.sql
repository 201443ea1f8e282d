-- What time brings next for a merchant: at most $2 things, the soonest first, by the gateway's clock.
-- Actions are asked about again by the real time; a delivery that was never tried waits for no time.
SELECT kind, due_time, payment_id, event_id, endpoint_id
FROM (
  (
    SELECT 'PAYMENT_EXPIRES' AS kind, expire_time AS due_time, id AS payment_id,
      '' AS event_id, '' AS endpoint_id
    FROM payments
    WHERE merchant_id = $1 AND status IN ('AUTHORIZED', 'PARTIALLY_CAPTURED')
    ORDER BY expire_time
    LIMIT $2::bigint
  )
  UNION ALL
  (
    SELECT 'ACTION_RETRIED', due_time + (gateway_now() - clock_timestamp()), payment_id, '', ''
    FROM actions
    WHERE merchant_id = $1 AND status = 'PENDING'
    ORDER BY due_time
    LIMIT $2::bigint
  )
  UNION ALL
  (
    SELECT 'DELIVERY_RETRIED', due_time, payment_id, event_id, endpoint_id
    FROM webhook_deliveries
    WHERE merchant_id = $1 AND status = 'PENDING' AND attempts > 0
    ORDER BY due_time
    LIMIT $2::bigint
  )
) upcoming
ORDER BY due_time, payment_id, event_id, endpoint_id
LIMIT $2::bigint

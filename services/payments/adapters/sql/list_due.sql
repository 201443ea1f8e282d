-- What time brings next for a merchant: at most $2 things, the soonest first, by its clock.
-- Actions are asked about again by the real time; a delivery that was never tried waits for no time. A
-- test event is about no payment, and a stream of its own, under its own id.
--
-- Of each kind no more than $3 are looked at, since no index has them by merchant and time: of open
-- payments the oldest, which are the first to expire, of deliveries the first of each endpoint, and of
-- actions the first of all, which are few.
SELECT kind, due_time, payment_id, event_id, endpoint_id
FROM (
  SELECT 'PAYMENT_EXPIRES' AS kind, expire_time AS due_time, id AS payment_id,
    '' AS event_id, '' AS endpoint_id
  FROM (
    (
      SELECT expire_time, id
      FROM payments
      WHERE merchant_id = $1 AND status = 'AUTHORIZED' AND commit_order >= -1
      ORDER BY commit_order, id
      LIMIT $3::bigint
    )
    UNION ALL
    (
      SELECT expire_time, id
      FROM payments
      WHERE merchant_id = $1 AND status = 'PARTIALLY_CAPTURED' AND commit_order >= -1
      ORDER BY commit_order, id
      LIMIT $3::bigint
    )
  ) oldest
  UNION ALL
  SELECT 'ACTION_RETRIED', due_time + (SELECT gateway_now($1) - clock_timestamp()), payment_id, '', ''
  FROM (
    SELECT merchant_id, due_time, payment_id
    FROM actions
    WHERE status = 'PENDING'
    ORDER BY due_time
    LIMIT $3::bigint
  ) first
  WHERE merchant_id = $1
  UNION ALL
  SELECT 'DELIVERY_RETRIED', d.due_time, coalesce(nullif(d.payment_id, d.event_id), ''), d.event_id,
    d.endpoint_id
  FROM webhook_endpoints e
  CROSS JOIN LATERAL (
    SELECT due_time, payment_id, event_id, endpoint_id, attempts
    FROM webhook_deliveries
    WHERE merchant_id = $1 AND endpoint_id = e.id AND status = 'PENDING'
    ORDER BY merchant_id, endpoint_id, due_time
    LIMIT $3::bigint
  ) d
  WHERE e.merchant_id = $1 AND e.status = 'ENABLED' AND d.attempts > 0
) upcoming
ORDER BY due_time, payment_id, event_id, endpoint_id
LIMIT $2::bigint

-- Gives up deliveries to endpoints that are disabled or gone, at most $1, and says how many.
--
-- What is under way is left to whoever has the lease.
-- Shards: each.
WITH RECURSIVE waiting AS (
  (
    SELECT merchant_id, endpoint_id
    FROM webhook_deliveries
    WHERE status = 'PENDING'
    ORDER BY merchant_id, endpoint_id
    LIMIT 1
  )
  UNION ALL
  SELECT next.merchant_id, next.endpoint_id
  FROM waiting w
  CROSS JOIN LATERAL (
    SELECT d.merchant_id, d.endpoint_id
    FROM webhook_deliveries d
    WHERE d.status = 'PENDING'
      AND (d.merchant_id, d.endpoint_id) > (w.merchant_id, w.endpoint_id)
    ORDER BY d.merchant_id, d.endpoint_id
    LIMIT 1) next
),
closed AS MATERIALIZED (
  SELECT w.merchant_id, w.endpoint_id
  FROM waiting w
  WHERE NOT EXISTS (
    SELECT FROM webhook_endpoints e
    WHERE e.merchant_id = w.merchant_id AND e.id = w.endpoint_id AND e.status = 'ENABLED')
),
unwanted AS MATERIALIZED (
  SELECT d.merchant_id, d.endpoint_id, d.event_id
  FROM closed c
  CROSS JOIN LATERAL (
    SELECT p.merchant_id, p.endpoint_id, p.event_id
    FROM webhook_deliveries p
    WHERE p.merchant_id = c.merchant_id
      AND p.endpoint_id = c.endpoint_id
      AND p.status = 'PENDING'
      AND (p.lease_time IS NULL OR p.lease_time <= clock_timestamp())
    LIMIT $1
    FOR NO KEY UPDATE OF p SKIP LOCKED) d
  LIMIT $1
),
failed AS (
  UPDATE webhook_deliveries d SET
    status = 'FAILED', due_time = NULL, lease_time = NULL, last_error = 'endpoint disabled'
  FROM unwanted u
  WHERE d.merchant_id = u.merchant_id
    AND d.endpoint_id = u.endpoint_id
    AND d.event_id = u.event_id
  RETURNING 1
)
SELECT count(*) FROM failed

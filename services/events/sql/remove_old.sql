-- Removes events that are older than $1 and done with, and their deliveries and attempts with them.
WITH old AS MATERIALIZED (
  SELECT o.merchant_id, o.id
  FROM outbox o
  WHERE o.create_time < (SELECT gateway_now()) - $1::interval
    AND o.relay_time IS NOT NULL
    AND o.publish_time IS NOT NULL
    AND NOT EXISTS (
      SELECT FROM webhook_deliveries d
      WHERE d.merchant_id = o.merchant_id AND d.event_id = o.id AND d.status = 'PENDING')
  ORDER BY o.create_time
  LIMIT $2
  FOR UPDATE OF o SKIP LOCKED
),
removed_deliveries AS (
  DELETE FROM webhook_deliveries d
  USING old
  WHERE d.merchant_id = old.merchant_id AND d.event_id = old.id
  RETURNING d.merchant_id, d.endpoint_id, d.event_id
),
removed_attempts AS (
  DELETE FROM webhook_attempts a
  USING removed_deliveries d
  WHERE a.merchant_id = d.merchant_id
    AND a.endpoint_id = d.endpoint_id
    AND a.event_id = d.event_id
),
removed AS (
  DELETE FROM outbox o
  USING old
  WHERE o.merchant_id = old.merchant_id AND o.id = old.id
  RETURNING 1
)
SELECT count(*) FROM removed

-- Removes attempts at endpoints that are gone, at most $1, and says how many.
--
-- One look into the index for each endpoint that has any.
-- Shards: each.
WITH RECURSIVE attempted AS (
  (
    SELECT merchant_id, endpoint_id
    FROM webhook_attempts
    ORDER BY merchant_id, endpoint_id
    LIMIT 1
  )
  UNION ALL
  SELECT next.merchant_id, next.endpoint_id
  FROM attempted a
  CROSS JOIN LATERAL (
    SELECT w.merchant_id, w.endpoint_id
    FROM webhook_attempts w
    WHERE (w.merchant_id, w.endpoint_id) > (a.merchant_id, a.endpoint_id)
    ORDER BY w.merchant_id, w.endpoint_id
    LIMIT 1) next
),
closed AS MATERIALIZED (
  SELECT a.merchant_id, a.endpoint_id
  FROM attempted a
  WHERE NOT EXISTS (
    SELECT FROM webhook_endpoints e
    WHERE e.merchant_id = a.merchant_id AND e.id = a.endpoint_id)
),
gone AS MATERIALIZED (
  SELECT w.merchant_id, w.endpoint_id, w.event_id, w.number
  FROM closed c
  CROSS JOIN LATERAL (
    SELECT *
    FROM webhook_attempts
    WHERE merchant_id = c.merchant_id AND endpoint_id = c.endpoint_id
    LIMIT $1) w
  LIMIT $1
),
removed AS (
  DELETE FROM webhook_attempts w
  USING gone
  WHERE w.merchant_id = gone.merchant_id
    AND w.endpoint_id = gone.endpoint_id
    AND w.event_id = gone.event_id
    AND w.number = gone.number
  RETURNING 1
)
SELECT count(*) FROM removed

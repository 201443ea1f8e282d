-- Removes events that are older than $1 and done with, and their deliveries and attempts with them: by the
-- real time, and the oldest $3 of each merchant whose clock is ahead by that.
-- Shards: each.
WITH by_real_time AS MATERIALIZED (
  SELECT o.merchant_id, o.id
  FROM outbox o
  WHERE o.create_time < (SELECT clock_timestamp()) - $1::interval
    AND o.relay_time IS NOT NULL
    AND o.publish_time IS NOT NULL
    AND NOT EXISTS (
      SELECT FROM webhook_deliveries d
      WHERE d.merchant_id = o.merchant_id AND d.event_id = o.id AND d.status = 'PENDING')
  ORDER BY o.create_time
  LIMIT $2
  FOR UPDATE OF o SKIP LOCKED
),
-- Ids are in the order of time: the oldest come first.
oldest AS MATERIALIZED (
  SELECT first.merchant_id, first.id
  FROM sandbox_clocks c
  CROSS JOIN LATERAL (
    SELECT o.merchant_id, o.id, o.create_time
    FROM outbox o
    WHERE o.merchant_id = c.merchant_id
    ORDER BY o.id
    LIMIT $3
  ) first
  WHERE c.ahead > interval '0' AND first.create_time < clock_timestamp() + c.ahead - $1::interval
),
by_their_clocks AS MATERIALIZED (
  SELECT o.merchant_id, o.id
  FROM oldest
  JOIN outbox o ON o.merchant_id = oldest.merchant_id AND o.id = oldest.id
  WHERE o.create_time >= (SELECT clock_timestamp()) - $1::interval
    AND o.relay_time IS NOT NULL
    AND o.publish_time IS NOT NULL
    AND NOT EXISTS (
      SELECT FROM webhook_deliveries d
      WHERE d.merchant_id = o.merchant_id AND d.event_id = o.id AND d.status = 'PENDING')
  FOR UPDATE OF o SKIP LOCKED
),
old AS MATERIALIZED (
  SELECT merchant_id, id FROM by_real_time
  UNION ALL
  SELECT merchant_id, id FROM by_their_clocks
  LIMIT $2
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

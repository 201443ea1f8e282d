-- Makes out the deliveries of events that have none yet, and says how many events it took.
--
-- One statement, so that an event is either relayed with all of its deliveries or not at all.
-- Several relays at once take different events; the later event of a payment may then be relayed
-- first, which `claim_deliveries` allows for.
--
-- A delivery behind one that waits for its retry is not due before that: otherwise each look for
-- due ones would step over it. Streams are compared as rows for the sake of their index, see
-- `claim_deliveries`. $2: no bus is configured, so there is nothing to publish.
-- Shards: each.
WITH taken AS MATERIALIZED (
  SELECT
    merchant_id, id, payment_id, sequence, type,
    clock_timestamp()
      + coalesce((SELECT c.ahead FROM sandbox_clocks c WHERE c.merchant_id = o.merchant_id), interval '0') AS now
  FROM outbox o
  WHERE relay_time IS NULL
  ORDER BY merchant_id, payment_id, sequence
  LIMIT $1
  FOR NO KEY UPDATE SKIP LOCKED
),
made_out AS (
  INSERT INTO webhook_deliveries
    (merchant_id, endpoint_id, event_id, payment_id, sequence, status, due_time, create_time,
     commit_order)
  SELECT
    t.merchant_id, e.id, t.id, t.payment_id, t.sequence, 'PENDING',
    greatest(
      t.now,
      (
        SELECT ahead.due_time
        FROM webhook_deliveries ahead
        WHERE (ahead.merchant_id, ahead.endpoint_id, ahead.payment_id, ahead.sequence)
            >= (t.merchant_id, e.id, t.payment_id, 0)
          AND (ahead.merchant_id, ahead.endpoint_id, ahead.payment_id, ahead.sequence)
            < (t.merchant_id, e.id, t.payment_id, t.sequence)
          AND ahead.status = 'PENDING'
        ORDER BY ahead.merchant_id, ahead.endpoint_id, ahead.payment_id, ahead.sequence
        LIMIT 1)),
    t.now,
    (SELECT own_commit_order())
  FROM taken t
  JOIN webhook_endpoints e ON e.merchant_id = t.merchant_id
  WHERE e.status = 'ENABLED'
    AND (e.event_types = '{}' OR t.type = ANY(e.event_types))
  ON CONFLICT DO NOTHING
),
relayed AS (
  UPDATE outbox o SET
    relay_time = t.now,
    publish_time = CASE WHEN $2::boolean THEN t.now ELSE o.publish_time END
  FROM taken t
  WHERE o.merchant_id = t.merchant_id AND o.id = t.id
  RETURNING 1
)
SELECT count(*) FROM relayed

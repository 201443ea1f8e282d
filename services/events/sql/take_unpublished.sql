-- Leases events for publishing: of each payment the first that is not published yet, and no other.
--
-- One look into the index for each payment, however many of its events wait. The lease goes by real
-- time, so that no turn of the sandbox's clock can end it.
-- Shards: each, at most $1.
WITH RECURSIVE heads AS (
  (
    SELECT merchant_id, payment_id, id
    FROM outbox
    WHERE publish_time IS NULL
    ORDER BY merchant_id, payment_id, sequence
    LIMIT 1
  )
  UNION ALL
  SELECT next.merchant_id, next.payment_id, next.id
  FROM heads h
  CROSS JOIN LATERAL (
    SELECT o.merchant_id, o.payment_id, o.id
    FROM outbox o
    WHERE o.publish_time IS NULL
      AND (o.merchant_id, o.payment_id) > (h.merchant_id, h.payment_id)
    ORDER BY o.merchant_id, o.payment_id, o.sequence
    LIMIT 1) next
),
taken AS MATERIALIZED (
  SELECT free.merchant_id, free.id
  FROM heads h
  CROSS JOIN LATERAL (
    SELECT o.merchant_id, o.id
    FROM outbox o
    WHERE o.merchant_id = h.merchant_id
      AND o.id = h.id
      -- Not `publish_time IS NULL`, which holds too: it would draw in the index of all unpublished.
      AND (o.publish_lease_time IS NULL OR o.publish_lease_time <= clock_timestamp())
    FOR NO KEY UPDATE OF o SKIP LOCKED) free
  LIMIT $1
)
UPDATE outbox o SET publish_lease_time = clock_timestamp() + $2::interval
FROM taken t
WHERE o.merchant_id = t.merchant_id AND o.id = t.id
RETURNING o.merchant_id, o.id, o.type, o.payload

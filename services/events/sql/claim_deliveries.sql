-- Leases deliveries that are due: at most $1, for each endpoint at most $2 and for each merchant at
-- most $5. Some may have fewer, or more, by what this relay has claimed for them and knows of them:
-- endpoints ($4, by merchant and endpoint), and merchants ($6, by merchant). Those are looked up in
-- one value each: there may be thousands of them, which a join would compare with every endpoint.
--
-- Only the head of a stream (endpoint, payment) goes: no earlier delivery of it is pending, and no
-- earlier event of the payment is still to be relayed, since another relay may be about to commit
-- its delivery. Both are read from one snapshot, and events of a payment are committed in order.
--
-- Of more endpoints than $1 with work that is due, chance takes some, and of each no more than its
-- share: slow ones cannot crowd out others, and few rows are locked that are not taken. Merchants
-- then take turns: one with many endpoints gets no more than one with a single one. Due by the
-- clock of their merchant; the lease ($3) goes by real time. Few clocks are ahead: they are looked up
-- only for what is not due by the real time.
-- Shards: each, at most $1 event_ids.
WITH RECURSIVE waiting AS (
  -- One look into the index for each endpoint, however many deliveries wait for it: its first.
  (
    SELECT merchant_id, endpoint_id, due_time
    FROM webhook_deliveries
    WHERE status = 'PENDING'
    ORDER BY merchant_id, endpoint_id, due_time
    LIMIT 1
  )
  UNION ALL
  SELECT next.merchant_id, next.endpoint_id, next.due_time
  FROM waiting w
  CROSS JOIN LATERAL (
    SELECT d.merchant_id, d.endpoint_id, d.due_time
    FROM webhook_deliveries d
    WHERE d.status = 'PENDING'
      AND (d.merchant_id, d.endpoint_id) > (w.merchant_id, w.endpoint_id)
    ORDER BY d.merchant_id, d.endpoint_id, d.due_time
    LIMIT 1) next
),
wanted AS MATERIALIZED (
  SELECT
    w.merchant_id, w.endpoint_id,
    coalesce(($4::jsonb #>> ARRAY[w.merchant_id, w.endpoint_id])::bigint, $2::bigint) AS slots,
    coalesce(($6::jsonb ->> w.merchant_id)::bigint, $5::bigint) AS merchant_slots
  FROM waiting w
  JOIN webhook_endpoints e ON e.merchant_id = w.merchant_id AND e.id = w.endpoint_id
  WHERE e.status = 'ENABLED'
    AND (
      w.due_time <= (SELECT clock_timestamp())
      OR w.due_time <= (
        SELECT clock_timestamp() + c.ahead
        FROM sandbox_clocks c
        WHERE c.merchant_id = w.merchant_id))
),
free AS MATERIALIZED (
  SELECT merchant_id, endpoint_id, least(slots, merchant_slots) AS slots, merchant_slots
  FROM wanted
  WHERE slots > 0 AND merchant_slots > 0
  ORDER BY random()
  LIMIT $1
),
shares AS MATERIALIZED (
  SELECT
    merchant_id, endpoint_id, merchant_slots,
    least(slots, 1 + ($1::bigint - 1) / count(*) OVER ()) AS slots,
    clock_timestamp()
      + coalesce(
        (SELECT c.ahead FROM sandbox_clocks c WHERE c.merchant_id = free.merchant_id), interval '0') AS now
  FROM free
),
due AS MATERIALIZED (
  SELECT head.*, s.merchant_slots
  FROM shares s
  CROSS JOIN LATERAL (
    SELECT d.merchant_id, d.endpoint_id, d.event_id, d.due_time
    FROM webhook_deliveries d
    WHERE d.merchant_id = s.merchant_id
      AND d.endpoint_id = s.endpoint_id
      AND d.status = 'PENDING'
      AND d.due_time <= s.now
      AND (d.lease_time IS NULL OR d.lease_time <= clock_timestamp())
      -- The first of its stream: this one is pending, so that there is one. Compared as rows, since
      -- without statistics equality would take another index, and read all of the endpoint's.
      AND d.sequence = (
        SELECT p.sequence
        FROM webhook_deliveries p
        WHERE (p.merchant_id, p.endpoint_id, p.payment_id)
            >= (d.merchant_id, d.endpoint_id, d.payment_id)
          AND p.status = 'PENDING'
        ORDER BY p.merchant_id, p.endpoint_id, p.payment_id, p.sequence
        LIMIT 1)
      AND d.sequence < coalesce(
        (
          SELECT min(o.sequence)
          FROM outbox o
          WHERE o.merchant_id = d.merchant_id
            AND o.payment_id = d.payment_id
            AND o.relay_time IS NULL),
        9223372036854775807)
    ORDER BY d.due_time
    LIMIT s.slots
    FOR NO KEY UPDATE OF d SKIP LOCKED) head
),
turns AS (
  SELECT
    merchant_id, endpoint_id, event_id, due_time, merchant_slots,
    row_number() OVER (PARTITION BY merchant_id ORDER BY due_time) AS turn
  FROM due
),
chosen AS MATERIALIZED (
  SELECT merchant_id, endpoint_id, event_id
  FROM turns
  WHERE turn <= merchant_slots
  ORDER BY turn, due_time
  LIMIT $1
),
claimed AS (
  UPDATE webhook_deliveries d SET lease_time = (SELECT clock_timestamp() + $3::interval)
  FROM chosen c
  WHERE d.merchant_id = c.merchant_id
    AND d.endpoint_id = c.endpoint_id
    AND d.event_id = c.event_id
  RETURNING d.merchant_id, d.endpoint_id, d.event_id, d.attempts, d.lease_time
),
-- A row for each endpoint: URL and secrets are had once, however many events there are for it.
grouped AS (
  SELECT
    c.merchant_id, c.endpoint_id,
    max(c.lease_time) AS lease_time,
    array_agg(c.event_id) AS event_ids,
    array_agg(c.attempts) AS attempts,
    array_agg(o.payload) AS payloads
  FROM claimed c
  LEFT JOIN outbox o ON o.merchant_id = c.merchant_id AND o.id = c.event_id
  GROUP BY c.merchant_id, c.endpoint_id
)
SELECT g.*, e.url, s.ids AS secret_ids, s.ciphertexts AS secrets
FROM grouped g
JOIN webhook_endpoints e ON e.merchant_id = g.merchant_id AND e.id = g.endpoint_id
CROSS JOIN LATERAL (
  SELECT
    coalesce(array_agg(k.id ORDER BY k.create_time DESC, k.id DESC), '{}') AS ids,
    coalesce(array_agg(k.ciphertext ORDER BY k.create_time DESC, k.id DESC), '{}') AS ciphertexts
  FROM webhook_secrets k
  WHERE k.merchant_id = g.merchant_id
    AND k.endpoint_id = g.endpoint_id
    AND (k.expire_time IS NULL OR k.expire_time > clock_timestamp())) s

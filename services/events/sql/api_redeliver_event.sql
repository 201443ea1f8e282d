-- Makes an event's deliveries due as if they had never been tried: to the endpoint $3, or if that is
-- empty to every endpoint that wants its type. Disabled ones get none.
--
-- Taking the lease away keeps an attempt that is under way from being recorded. What waits ahead in
-- the same stream is due as well, or the event would have to wait with it.
WITH wanted AS MATERIALIZED (
  SELECT
    o.merchant_id, e.id AS endpoint_id, o.id AS event_id, o.payment_id, o.sequence,
    o.type AS event_type, o.create_time AS event_time
  FROM outbox o
  JOIN webhook_endpoints e ON e.merchant_id = o.merchant_id
  WHERE o.merchant_id = $1
    AND o.id = $2
    AND e.status = 'ENABLED'
    AND CASE
      WHEN $3::text = '' THEN e.event_types = '{}' OR o.type = ANY(e.event_types)
      ELSE e.id = $3
    END
),
ahead AS (
  UPDATE webhook_deliveries d SET due_time = (SELECT gateway_now($1))
  FROM wanted w
  WHERE d.merchant_id = w.merchant_id
    AND d.endpoint_id = w.endpoint_id
    AND d.payment_id = w.payment_id
    AND d.sequence < w.sequence
    AND d.status = 'PENDING'
    AND d.due_time > (SELECT gateway_now($1))
),
anew AS (
  INSERT INTO webhook_deliveries AS d
    (merchant_id, endpoint_id, event_id, payment_id, sequence, status, due_time, create_time,
     commit_order)
  SELECT
    merchant_id, endpoint_id, event_id, payment_id, sequence, 'PENDING',
    (SELECT gateway_now($1)), (SELECT gateway_now($1)), (SELECT own_commit_order())
  FROM wanted
  ON CONFLICT (merchant_id, endpoint_id, event_id) DO UPDATE SET
    status = 'PENDING',
    attempts = 0,
    due_time = EXCLUDED.due_time,
    lease_time = NULL,
    last_attempt_time = NULL,
    last_status_code = 0,
    last_error = ''
  RETURNING *
)
SELECT a.*, w.event_type, w.event_time
FROM anew a
JOIN wanted w ON w.endpoint_id = a.endpoint_id
ORDER BY a.endpoint_id

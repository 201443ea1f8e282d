-- Makes failed deliveries to an endpoint due as if they had never been tried, at most $5: those of
-- events from the id $3 on that became true at $4 or later. Says how many, and the last event's id.
WITH failed AS MATERIALIZED (
  SELECT d.event_id
  FROM webhook_deliveries d
  JOIN outbox o ON o.merchant_id = d.merchant_id AND o.id = d.event_id
  WHERE d.merchant_id = $1
    AND d.endpoint_id = $2
    AND d.event_id >= $3
    AND d.status = 'FAILED'
    AND o.create_time >= $4
  ORDER BY d.event_id
  LIMIT $5
  FOR NO KEY UPDATE OF d
),
anew AS (
  UPDATE webhook_deliveries d SET
    status = 'PENDING',
    attempts = 0,
    due_time = (SELECT gateway_now($1)),
    lease_time = NULL,
    last_attempt_time = NULL,
    last_status_code = 0,
    last_error = ''
  FROM failed f
  WHERE d.merchant_id = $1 AND d.endpoint_id = $2 AND d.event_id = f.event_id
  RETURNING d.event_id
)
SELECT count(*) AS count, max(event_id COLLATE "C") AS last_event_id FROM anew

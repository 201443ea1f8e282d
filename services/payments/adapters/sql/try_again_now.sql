-- Makes deliveries to an endpoint due that wait for their next attempt, at most $3.
UPDATE webhook_deliveries d SET due_time = (SELECT gateway_now($1))
FROM (
  SELECT event_id
  FROM webhook_deliveries
  WHERE merchant_id = $1
    AND endpoint_id = $2
    AND status = 'PENDING'
    AND due_time > (SELECT gateway_now($1))
  ORDER BY due_time
  LIMIT $3
  FOR NO KEY UPDATE SKIP LOCKED) w
WHERE d.merchant_id = $1 AND d.endpoint_id = $2 AND d.event_id = w.event_id

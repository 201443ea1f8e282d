-- What became of an event at each endpoint, after the place $3 and $4, the first that were made out
-- first. Rows that others may still come before are left out.
SELECT d.*, o.type AS event_type, o.create_time AS event_time
FROM (
  SELECT *
  FROM webhook_deliveries
  WHERE merchant_id = $1 AND event_id = $2
    AND (commit_order, endpoint_id) > ($3::bigint, $4)
    AND commit_order < (SELECT commit_order_end('webhook_deliveries'))
  ORDER BY commit_order, endpoint_id
  LIMIT $5
) d
LEFT JOIN outbox o ON o.merchant_id = d.merchant_id AND o.id = d.event_id
ORDER BY d.commit_order, d.endpoint_id

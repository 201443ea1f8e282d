-- What became of an event at each endpoint, after the place $3 and $4, the first that were made out
-- first. Rows that others may still come before are left out.
SELECT *
FROM webhook_deliveries
WHERE merchant_id = $1 AND event_id = $2
  AND (commit_order, endpoint_id) > ($3::bigint, $4)
  AND commit_order < (SELECT commit_order_end('webhook_deliveries'))
ORDER BY commit_order, endpoint_id
LIMIT $5

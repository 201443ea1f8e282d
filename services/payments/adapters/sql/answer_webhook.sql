-- Notes what came of a message ($3), if it is still waited for. Nothing is returned if there is no such
-- endpoint.
WITH noted AS (
  UPDATE listener_messages SET status_code = $4, problem = $5, reply = $6
  WHERE merchant_id = $1 AND endpoint_id = $2 AND id = $3 AND status_code IS NULL
  RETURNING id
)
SELECT EXISTS (SELECT FROM noted) AS counted
FROM webhook_endpoints
WHERE merchant_id = $1 AND id = $2

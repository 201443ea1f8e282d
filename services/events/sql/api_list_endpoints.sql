-- A merchant's endpoints, newest first: ids sort by time.
SELECT *
FROM webhook_endpoints
WHERE merchant_id = $1 AND id < $2
ORDER BY id DESC
LIMIT $3

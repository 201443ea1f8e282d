-- A merchant's last call with a request id. A merchant has few enough calls to look through their ids.
SELECT
  id, began, service, method, code, reason, microseconds, idempotency_key, replayed,
  payment_id, key_id, rest, request, request_bytes, reply, reply_bytes
FROM logged_requests
WHERE merchant_id = $1 AND id = $2
ORDER BY began DESC
LIMIT 1

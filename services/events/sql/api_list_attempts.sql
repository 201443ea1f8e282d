-- What came of the tries to deliver the event $3 to the endpoint $2, before the one with the number
-- $4; the last one first.
SELECT *
FROM webhook_attempts
WHERE merchant_id = $1 AND endpoint_id = $2 AND event_id = $3 AND number < $4
ORDER BY number DESC
LIMIT $5

-- What became of an event at each endpoint.
SELECT *
FROM webhook_deliveries
WHERE merchant_id = $1 AND event_id = $2 AND endpoint_id > $3
ORDER BY endpoint_id
LIMIT $4

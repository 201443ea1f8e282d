-- One endpoint.
SELECT * FROM webhook_endpoints WHERE merchant_id = $1 AND id = $2

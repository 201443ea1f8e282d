-- One endpoint, held, so that its secrets are changed by one at a time.
SELECT * FROM webhook_endpoints WHERE merchant_id = $1 AND id = $2 FOR NO KEY UPDATE

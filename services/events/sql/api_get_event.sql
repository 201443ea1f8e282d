-- One event.
SELECT payload FROM outbox WHERE merchant_id = $1 AND id = $2

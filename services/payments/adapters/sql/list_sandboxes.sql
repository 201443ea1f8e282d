-- The sandboxes of a merchant that have not ended, before the id $2, the newest first: $3 of them.
SELECT merchant_id, name, create_time, expire_time
FROM sandboxes
WHERE owner_id = $1 AND merchant_id < $2 AND expire_time > clock_timestamp()
ORDER BY merchant_id DESC
LIMIT $3

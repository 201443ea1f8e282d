-- What came into a merchant's inbox before the message $2, the last first.
SELECT *
FROM inbox_messages
WHERE merchant_id = $1 AND id < $2
ORDER BY id DESC
LIMIT $3

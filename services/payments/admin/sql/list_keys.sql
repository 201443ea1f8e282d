-- A merchant's keys, the newest first, from the one after $2 on.
SELECT merchant_id, id, name, scopes, create_time, expire_time, revoke_time
FROM api_keys
WHERE merchant_id = $1
  AND ($2 = '' OR (create_time, id) < (
    SELECT last.create_time, last.id FROM api_keys last
    WHERE last.merchant_id = $1 AND last.id = $2))
ORDER BY create_time DESC, id DESC
LIMIT $3

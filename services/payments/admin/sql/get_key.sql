-- One key.
SELECT merchant_id, id, name, scopes, create_time, expire_time, revoke_time
FROM api_keys
WHERE id = $1

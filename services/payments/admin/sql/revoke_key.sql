-- Ends a key; when it was revoked first is kept. It is written again all the same, see disable_merchant.sql.
UPDATE api_keys SET revoke_time = least(revoke_time, now()), slot = NULL
WHERE id = $1
RETURNING merchant_id, id, name, scopes, create_time, expire_time, revoke_time

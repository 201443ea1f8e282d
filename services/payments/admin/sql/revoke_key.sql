-- Ends a key; no row if there is none, or it was revoked: when it was first is kept.
UPDATE api_keys SET revoke_time = now(), slot = NULL
WHERE id = $1 AND revoke_time IS NULL
RETURNING merchant_id, id, name, scopes, create_time, expire_time, revoke_time

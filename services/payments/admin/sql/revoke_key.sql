-- Ends a key; when it was revoked first is kept.
UPDATE api_keys SET revoke_time = coalesce(revoke_time, now()), slot = NULL
WHERE id = $1
RETURNING merchant_id, id, name, scopes, create_time, expire_time, revoke_time

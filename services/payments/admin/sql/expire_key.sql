-- Lets a live key end after a while, or at once; no row when it is not live. Its merchant must be
-- locked.
UPDATE api_keys SET
  expire_time = least(expire_time, now() + $2::interval),
  slot = CASE WHEN $2::interval > interval '0' THEN slot END
WHERE id = $1 AND revoke_time IS NULL AND (expire_time IS NULL OR expire_time > now())
RETURNING merchant_id, id, name, scopes, create_time, expire_time, revoke_time

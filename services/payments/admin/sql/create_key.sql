-- Makes a key in a slot that is free; no row when the merchant has two live keys. The merchant must
-- be locked, and slots that nobody holds any more be free. Keys that are older than slots hold none.
WITH live AS MATERIALIZED (
  SELECT slot
  FROM api_keys
  WHERE merchant_id = $1 AND revoke_time IS NULL AND (expire_time IS NULL OR expire_time > now())
)
INSERT INTO api_keys (merchant_id, id, name, scopes, digest, slot, create_time)
SELECT $1, $2, $3, $4::text[], $5, min(free.slot), clock_timestamp()
FROM (VALUES (1), (2)) AS free (slot)
WHERE NOT EXISTS (SELECT FROM live WHERE live.slot = free.slot)
HAVING (SELECT count(*) FROM live) < 2
RETURNING merchant_id, id, name, scopes, create_time, expire_time, revoke_time

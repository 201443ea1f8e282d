-- Makes a sandbox: a merchant, its key, and its clock if that begins ahead. Its rows are to be removed $9
-- after its end. No row where the owner has $10 that have not ended, or $11 with those that are still being
-- removed, or is a sandbox itself. What the owner has must be held.
WITH made AS (
  INSERT INTO sandboxes (owner_id, merchant_id, name, create_time, expire_time, remove_time, ahead)
  SELECT
    $1, $2, $3, now.time, now.time + $4::interval, now.time + $4::interval + $9::interval, $5::interval
  FROM (SELECT clock_timestamp() AS time OFFSET 0) now
  CROSS JOIN (
    SELECT
      count(*) AS there,
      count(*) FILTER (WHERE expire_time > clock_timestamp()) AS alive
    FROM sandboxes
    WHERE owner_id = $1
  ) own
  WHERE own.alive < $10::bigint AND own.there < $11::bigint
    AND NOT EXISTS (SELECT FROM sandboxes WHERE merchant_id = $1)
  RETURNING merchant_id, name, create_time, expire_time, ahead
),
merchant AS (
  INSERT INTO merchants (id, name, create_time) SELECT merchant_id, name, create_time FROM made
),
api_key AS (
  INSERT INTO api_keys (merchant_id, id, digest, name, scopes, slot, create_time, expire_time)
  SELECT merchant_id, $6, $7::bytea, 'sandbox', $8::text[], 1, create_time, expire_time FROM made
),
clock AS (
  INSERT INTO sandbox_clocks (merchant_id, ahead)
  SELECT merchant_id, ahead FROM made WHERE ahead > interval '0'
)
SELECT merchant_id, name, create_time, expire_time FROM made

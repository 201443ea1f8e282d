-- Makes an endpoint with its first secret; no row when the merchant has $8 already. The merchant
-- must be locked.
WITH made AS (
  INSERT INTO webhook_endpoints
    (merchant_id, id, url, event_types, status, description, create_time, update_time)
  SELECT $1, $2, $3, $4::text[], 'ENABLED', $5, now.time, now.time
  FROM (SELECT gateway_now($1) AS time OFFSET 0) now
  WHERE (SELECT count(*) FROM webhook_endpoints WHERE merchant_id = $1) < $8::bigint
  RETURNING *
),
secret AS (
  INSERT INTO webhook_secrets (merchant_id, endpoint_id, id, ciphertext, create_time)
  SELECT merchant_id, id, $6, $7, clock_timestamp() FROM made
)
SELECT * FROM made

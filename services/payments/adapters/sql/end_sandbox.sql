-- Ends a sandbox of a merchant, and its keys, unless something is under way in it; says whether it is. Its
-- rows are to be removed $3 later. No row: there is none, or it has ended.
WITH found AS MATERIALIZED (
  SELECT
    s.owner_id, s.merchant_id,
    EXISTS (
      SELECT FROM actions a WHERE a.merchant_id = s.merchant_id AND a.status = 'PENDING') AS is_busy
  FROM sandboxes s
  WHERE s.owner_id = $1 AND s.merchant_id = $2 AND s.expire_time > clock_timestamp()
),
ended AS (
  UPDATE sandboxes s
  SET expire_time = now.time, remove_time = now.time + $3::interval
  FROM found f
  CROSS JOIN (SELECT clock_timestamp() AS time OFFSET 0) now
  WHERE s.owner_id = f.owner_id AND s.merchant_id = f.merchant_id AND NOT f.is_busy
),
revoked AS (
  UPDATE api_keys k SET revoke_time = coalesce(k.revoke_time, clock_timestamp()), slot = NULL
  FROM found f
  WHERE k.merchant_id = f.merchant_id AND NOT f.is_busy
)
SELECT is_busy FROM found

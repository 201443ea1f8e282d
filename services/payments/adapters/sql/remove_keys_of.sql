-- Removes a merchant's old idempotency keys, a batch at a time; see remove_keys.sql.
-- Shards: by $3.
WITH replies AS (
  DELETE FROM stored_replies r
  USING (
    SELECT merchant_id, rpc, key
    FROM stored_replies
    WHERE merchant_id = $3 AND create_time < $1
    LIMIT $2
  ) AS old
  WHERE r.merchant_id = old.merchant_id AND r.rpc = old.rpc AND r.key = old.key
)
DELETE FROM idempotency_keys k
USING (
  SELECT merchant_id, rpc, key
  FROM idempotency_keys old
  WHERE merchant_id = $3
    AND create_time < $1
    AND NOT EXISTS (
      SELECT FROM actions a
      WHERE a.merchant_id = old.merchant_id AND a.id = old.action_id AND a.status = 'PENDING')
  LIMIT $2
  FOR UPDATE SKIP LOCKED
) AS old
WHERE k.merchant_id = old.merchant_id AND k.rpc = old.rpc AND k.key = old.key

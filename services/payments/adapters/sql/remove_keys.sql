-- Removes old idempotency keys, a batch at a time; never one whose action is still PENDING. Replies that
-- were stored under others' keys go as well; they are not counted, for they are few.
-- Shards: each.
WITH replies AS (
  DELETE FROM stored_replies r
  USING (
    SELECT merchant_id, rpc, key
    FROM stored_replies
    WHERE create_time < $1
    ORDER BY create_time
    LIMIT $2
  ) AS old
  WHERE r.merchant_id = old.merchant_id AND r.rpc = old.rpc AND r.key = old.key
)
DELETE FROM idempotency_keys k
USING (
  SELECT merchant_id, rpc, key
  FROM idempotency_keys old
  WHERE create_time < $1
    AND NOT EXISTS (
      SELECT FROM actions a
      WHERE a.merchant_id = old.merchant_id AND a.id = old.action_id AND a.status = 'PENDING')
  ORDER BY create_time
  LIMIT $2
  FOR UPDATE SKIP LOCKED
) AS old
WHERE k.merchant_id = old.merchant_id AND k.rpc = old.rpc AND k.key = old.key

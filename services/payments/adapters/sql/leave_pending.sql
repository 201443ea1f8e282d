-- Hands an action without an answer to recovery at once, and stores the reply that says PENDING,
-- unless recovery was faster.
WITH pending AS (
  UPDATE actions SET due_time = clock_timestamp()
  WHERE merchant_id = $1 AND id = $2 AND status = 'PENDING'
  RETURNING type, idempotency_key
)
UPDATE idempotency_keys k SET reply = $3
FROM pending
WHERE k.merchant_id = $1 AND k.rpc = pending.type AND k.key = pending.idempotency_key
  AND k.action_id = $2 AND k.reply IS NULL

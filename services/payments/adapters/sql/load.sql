-- A payment and the record of an idempotency key, in one snapshot; each may be missing.
SELECT
  p.*,
  (SELECT ahead FROM sandbox_clock) AS clock_ahead,
  k.fingerprint AS key_fingerprint,
  k.action_id AS key_action_id,
  k.reply AS key_reply
FROM (VALUES ($1::text)) AS m (merchant)
LEFT JOIN payments p ON p.merchant_id = m.merchant AND p.id = $2
LEFT JOIN idempotency_keys k ON k.merchant_id = m.merchant AND k.rpc = $3 AND k.key = $4

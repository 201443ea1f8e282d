-- A payment and, of its actions, the one in question and the authorization, with the stored reply of
-- the one in question and the operator's word on it; all in one snapshot. One row, or two when they are different actions.
SELECT
  p.*,
  (SELECT reading FROM sandbox_clocks WHERE merchant_id = $1) AS clock,
  a.id AS action_id,
  a.type AS action_type,
  a.status AS action_status,
  a.minor_units AS action_minor_units,
  a.final AS action_final,
  a.reference AS action_reference,
  a.decline_code AS action_decline_code,
  a.approval_code AS action_approval_code,
  a.sequence AS action_sequence,
  a.idempotency_key AS action_idempotency_key,
  a.create_time AS action_create_time,
  a.update_time AS action_update_time,
  k.reply,
  wanted.resolution
FROM actions wanted
JOIN payments p ON p.merchant_id = wanted.merchant_id AND p.id = wanted.payment_id
JOIN actions a ON a.merchant_id = p.merchant_id AND a.id IN (wanted.id, p.authorization_id)
LEFT JOIN idempotency_keys k
  ON k.merchant_id = wanted.merchant_id AND k.rpc = wanted.type AND k.key = wanted.idempotency_key
  AND k.action_id = wanted.id
WHERE wanted.merchant_id = $1 AND wanted.id = $2

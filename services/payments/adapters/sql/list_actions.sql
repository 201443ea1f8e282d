-- The actions of a payment, oldest first. A payment always has its authorization, so that no row at
-- all with $3 = 0 means no such payment.
SELECT
  id AS action_id,
  payment_id,
  type AS action_type,
  status AS action_status,
  currency,
  minor_units AS action_minor_units,
  final AS action_final,
  reference AS action_reference,
  decline_code AS action_decline_code,
  approval_code AS action_approval_code,
  sequence AS action_sequence,
  idempotency_key AS action_idempotency_key,
  create_time AS action_create_time,
  update_time AS action_update_time
FROM actions
WHERE merchant_id = $1 AND payment_id = $2 AND sequence > $3
ORDER BY sequence
LIMIT $4

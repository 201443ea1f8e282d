-- One payment with its $3 newest actions, newest first, all in one snapshot; a row for each action. A
-- payment always has its authorization.
SELECT
  p.*,
  (SELECT reading FROM sandbox_clock) AS clock,
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
  a.update_time AS action_update_time
FROM payments p
JOIN actions a ON a.merchant_id = p.merchant_id AND a.payment_id = p.id
WHERE p.merchant_id = $1 AND p.id = $2
ORDER BY a.sequence DESC
LIMIT $3

-- One payment, as `PaymentView` has it, with its $3 newest actions, as `ActionView` has them, newest
-- first, all in one snapshot; a row for each action. A payment always has its authorization.
SELECT
  p.id, p.status,
  p.authorization_state = 'APPROVED'
    AND NOT (p.closing OR p.closed OR p.voiding OR p.voided OR p.expiring OR p.expired) AS is_open,
  p.currency, p.authorized, p.captured, p.capturing, p.refunded, p.refunding,
  p.card_brand, p.card_last4, p.card_expiry_month, p.card_expiry_year, p.card_token,
  p.reference, p.decline_code, p.create_time, p.update_time, p.expire_time,
  a.id AS action_id, a.payment_id, a.type AS action_type, a.status AS action_status,
  a.currency AS action_currency, a.minor_units, a.reference AS action_reference,
  a.decline_code AS action_decline_code, a.approval_code, a.sequence,
  a.create_time AS action_create_time, a.update_time AS action_update_time,
  (SELECT reading FROM sandbox_clocks WHERE merchant_id = $1) AS clock
FROM payments p
JOIN actions a ON a.merchant_id = p.merchant_id AND a.payment_id = p.id
WHERE p.merchant_id = $1 AND p.id = $2
ORDER BY a.sequence DESC
LIMIT $3

-- Some of a merchant's payments, as `PaymentView` has them.
SELECT
  id, status,
  authorization_state = 'APPROVED'
    AND NOT (closing OR closed OR voiding OR voided OR expiring OR expired) AS is_open,
  currency, authorized, captured, capturing, refunded, refunding,
  card_brand, card_last4, card_expiry_month, card_expiry_year, card_token,
  reference, decline_code, create_time, update_time, expire_time,
  (SELECT reading FROM sandbox_clocks WHERE merchant_id = $1) AS clock
FROM payments
WHERE merchant_id = $1 AND id = ANY($2::text[])

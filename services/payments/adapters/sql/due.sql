-- What is still to be done for a merchant, by its clock. A delivery that waits behind
-- another one's later try is not due.
SELECT
  (SELECT count(*) FROM actions WHERE merchant_id = $1 AND status = 'PENDING') AS pending_actions,
  (
    SELECT count(*) FROM payments
    WHERE merchant_id = $1 AND status IN ('AUTHORIZED', 'PARTIALLY_CAPTURED')
      AND expire_time <= (SELECT gateway_now($1))
  ) AS due_expiries,
  (
    SELECT count(*) FROM outbox
    WHERE merchant_id = $1 AND (relay_time IS NULL OR publish_time IS NULL)
  ) AS pending_events,
  (
    SELECT count(*) FROM webhook_deliveries d
    WHERE d.merchant_id = $1 AND d.status = 'PENDING' AND d.due_time <= (SELECT gateway_now($1))
      AND NOT EXISTS (
        SELECT FROM webhook_deliveries earlier
        WHERE earlier.merchant_id = d.merchant_id AND earlier.endpoint_id = d.endpoint_id
          AND earlier.payment_id = d.payment_id AND earlier.sequence < d.sequence
          AND earlier.status = 'PENDING' AND earlier.due_time > (SELECT gateway_now($1)))
  ) AS due_deliveries

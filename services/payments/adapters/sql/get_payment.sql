-- One payment.
SELECT p.*, (SELECT ahead FROM sandbox_clock) AS clock_ahead
FROM payments p
WHERE p.merchant_id = $1 AND p.id = $2

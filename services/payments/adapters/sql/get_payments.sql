-- Some of a merchant's payments.
SELECT p.*, (SELECT ahead FROM sandbox_clock) AS clock_ahead
FROM payments p
WHERE p.merchant_id = $1 AND p.id = ANY($2::text[])

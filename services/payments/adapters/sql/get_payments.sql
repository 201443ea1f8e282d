-- Some of a merchant's payments.
SELECT p.*, (SELECT reading FROM sandbox_clock) AS clock
FROM payments p
WHERE p.merchant_id = $1 AND p.id = ANY($2::text[])

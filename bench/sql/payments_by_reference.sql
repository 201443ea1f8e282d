-- The payments that were made for a purpose.
SELECT id
FROM payments
WHERE merchant_id = $1 AND reference = $2
ORDER BY id

-- Some of a merchant's payments, after so many of the newest.
SELECT commit_order, id
FROM payments
WHERE merchant_id = $1 AND commit_order >= 0
ORDER BY commit_order DESC, id DESC
OFFSET $2 LIMIT $3

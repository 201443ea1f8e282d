-- Some of a merchant's payments, after so many of the newest.
SELECT id FROM payments WHERE merchant_id = $1 ORDER BY id DESC OFFSET $2 LIMIT $3

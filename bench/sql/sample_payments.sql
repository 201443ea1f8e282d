-- Some of a merchant's payments of one status, from everywhere.
SELECT id
FROM payments TABLESAMPLE BERNOULLI ($3)
WHERE merchant_id = $1 AND status = $2
LIMIT $4

-- Where the last event of the payment $2 is: within a payment the sequence is the order of commits.
SELECT sequence AS commit_order, id
FROM outbox
WHERE merchant_id = $1 AND payment_id = $2
ORDER BY sequence DESC
LIMIT 1

-- Notes how an action is to end if the bank does not say, and has recovery look at it at once; no row
-- if it has ended meanwhile.
-- Shards: each.
UPDATE actions SET resolution = $2, due_time = clock_timestamp()
WHERE id = $1 AND status = 'PENDING'
RETURNING merchant_id, id, payment_id, type, resolution, create_time

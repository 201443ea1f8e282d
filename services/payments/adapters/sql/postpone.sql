-- Makes a PENDING action due again after a while.
UPDATE actions SET due_time = clock_timestamp() + $3::interval
WHERE merchant_id = $1 AND id = $2 AND status = 'PENDING'

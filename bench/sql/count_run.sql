-- How many authorizations a run of pgbench has brought to their end; ids begin with the run.
SELECT count(*) AS count
FROM actions
WHERE merchant_id = $1 AND id >= $2 AND id < $3 AND status = 'SUCCEEDED'

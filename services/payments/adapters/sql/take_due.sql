-- Leases PENDING actions of these types that are due, so that no other recovery takes them meanwhile.
-- Shards: each, at most $2.
UPDATE actions a SET due_time = clock_timestamp() + $3::interval
FROM (
  SELECT merchant_id, id
  FROM actions
  WHERE status = 'PENDING' AND due_time <= clock_timestamp() AND type = ANY($1::text[])
  ORDER BY due_time
  LIMIT $2
  FOR UPDATE SKIP LOCKED
) AS due
WHERE a.merchant_id = due.merchant_id AND a.id = due.id
RETURNING a.merchant_id, a.id

-- Makes PENDING actions due after a while. One that is being changed just now is left alone: it may
-- be ending, and waiting for several could make two wait for each other.
UPDATE actions a SET due_time = clock_timestamp() + $3::interval
FROM (
  SELECT merchant_id, id
  FROM actions
  JOIN unnest($1::text[], $2::text[]) AS wanted (merchant_id, id) USING (merchant_id, id)
  WHERE status = 'PENDING'
  FOR UPDATE OF actions SKIP LOCKED
) AS held
WHERE a.merchant_id = held.merchant_id AND a.id = held.id

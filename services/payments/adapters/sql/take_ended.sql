-- Takes a sandbox whose rows are to be removed, and puts it off by $1, so that nobody else takes it meanwhile;
-- says whether something is under way in it.
UPDATE sandboxes s SET remove_time = clock_timestamp() + $1::interval
FROM (
  SELECT owner_id, merchant_id
  FROM sandboxes
  WHERE remove_time < clock_timestamp()
  ORDER BY remove_time
  LIMIT 1
  FOR UPDATE SKIP LOCKED
) due
WHERE s.owner_id = due.owner_id AND s.merchant_id = due.merchant_id
RETURNING
  s.merchant_id,
  EXISTS (
    SELECT FROM actions a
    JOIN payments p ON p.merchant_id = a.merchant_id AND p.id = a.payment_id
    WHERE a.merchant_id = s.merchant_id AND a.status = 'PENDING') AS is_busy

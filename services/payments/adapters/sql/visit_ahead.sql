-- Picks a merchant whose clock is ahead and for whom nobody has looked for $1 by the real time what is too
-- old by it: the one that waits the longest. Others pick others.
-- Shards: each.
UPDATE sandbox_clocks c SET visit_time = clock_timestamp()
FROM (
  SELECT merchant_id
  FROM sandbox_clocks
  WHERE ahead > interval '0' AND visit_time < (SELECT clock_timestamp()) - $1::interval
  ORDER BY visit_time
  LIMIT 1
  FOR NO KEY UPDATE SKIP LOCKED
) next
WHERE c.merchant_id = next.merchant_id
RETURNING c.merchant_id, c.reading AS clock

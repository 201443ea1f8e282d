-- Takes $1 references that are to be removed from the bank's book, and puts them off by $2, so that nobody
-- else takes them meanwhile.
-- Shards: each, at most $1.
UPDATE bank_leftovers l SET remove_time = clock_timestamp() + $2::interval
FROM (
  SELECT reference
  FROM bank_leftovers
  WHERE remove_time < clock_timestamp()
  ORDER BY remove_time
  LIMIT $1
  FOR UPDATE SKIP LOCKED
) due
WHERE l.reference = due.reference
RETURNING l.reference

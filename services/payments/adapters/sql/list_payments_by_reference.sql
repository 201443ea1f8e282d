-- A merchant's payments with one reference, newest first. Ids sort by time, so that the bounds on
-- them let the index find the period; create_time then decides to the microsecond.
SELECT *
FROM payments
WHERE merchant_id = $1
  AND id < $2 AND id >= $3
  AND create_time >= $4 AND create_time < $5
  AND reference = $7 AND reference <> '' AND ($8::text IS NULL OR status = $8)
ORDER BY id DESC
LIMIT $6

-- A merchant's payments, newest first. Ids sort by time, so that the bounds on
-- them let the index find the period; create_time then decides to the microsecond.
SELECT *
FROM payments
WHERE merchant_id = $1
  AND id < $2 AND id >= $3
  AND create_time >= $4 AND create_time < $5
ORDER BY id DESC
LIMIT $6

-- Removes a merchant's calls beyond the last $2, at most $3 of them. Rows that somebody else removes are
-- left to them, so that nobody waits for anybody.
WITH last AS (
  SELECT began, id
  FROM logged_requests
  WHERE merchant_id = $1
  ORDER BY began DESC, id DESC
  OFFSET $2::bigint LIMIT 1
),
old AS (
  SELECT l.began, l.id
  FROM logged_requests l, last
  WHERE l.merchant_id = $1 AND (l.began, l.id) <= (last.began, last.id)
  ORDER BY l.began, l.id
  LIMIT $3::bigint
  FOR UPDATE OF l SKIP LOCKED
)
DELETE FROM logged_requests l USING old
WHERE l.merchant_id = $1 AND l.began = old.began AND l.id = old.id

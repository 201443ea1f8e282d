-- Removes cards that have expired, or were last used before $2, a batch of each at a time; says how many.
-- Shards: each.
WITH expired AS (
  SELECT merchant_id, token, 'EXPIRED' AS cause
  FROM cards
  WHERE expire_time <= $1
  ORDER BY expire_time
  LIMIT $3
  FOR UPDATE SKIP LOCKED
),
unused AS (
  SELECT merchant_id, token, 'UNUSED' AS cause
  FROM cards
  WHERE use_time < $2 AND (expire_time IS NULL OR expire_time > $1)
  ORDER BY use_time
  LIMIT $3
  FOR UPDATE SKIP LOCKED
),
removed AS (
  DELETE FROM cards c
  USING (SELECT * FROM expired UNION ALL SELECT * FROM unused) AS old
  WHERE c.merchant_id = old.merchant_id AND c.token = old.token
  RETURNING c.merchant_id, c.token, old.cause
),
noted AS (
  INSERT INTO removed_cards (merchant_id, token, cause, remove_time)
  SELECT merchant_id, token, cause, $1 FROM removed
)
SELECT cause, count(*) AS count FROM removed GROUP BY cause

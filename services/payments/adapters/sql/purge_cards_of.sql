-- Removes cards of a merchant that have expired, or were last used before $2, a batch at a time; says how
-- many. See purge_cards.sql.
-- Shards: by $4.
WITH old AS (
  SELECT merchant_id, token, CASE WHEN expire_time <= $1 THEN 'EXPIRED' ELSE 'UNUSED' END AS cause
  FROM cards
  WHERE merchant_id = $4 AND (expire_time <= $1 OR use_time < $2)
  LIMIT $3
  FOR UPDATE SKIP LOCKED
),
removed AS (
  DELETE FROM cards c
  USING old
  WHERE c.merchant_id = old.merchant_id AND c.token = old.token
  RETURNING c.merchant_id, c.token, old.cause
),
noted AS (
  INSERT INTO removed_cards (merchant_id, token, cause, remove_time)
  SELECT merchant_id, token, cause, $1 FROM removed
)
SELECT cause, count(*) AS count FROM removed GROUP BY cause

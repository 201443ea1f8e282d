-- Removes a card; says whether it is gone now or was removed before. Of two who remove it at once, one may
-- not see yet what the other did, and has to ask again.
WITH removed AS (
  DELETE FROM cards WHERE merchant_id = $1 AND token = $2
  RETURNING merchant_id, token
),
noted AS (
  INSERT INTO removed_cards (merchant_id, token, cause, remove_time)
  SELECT merchant_id, token, 'DELETED', $3 FROM removed
)
SELECT
  EXISTS (SELECT FROM removed) AS is_removed,
  EXISTS (SELECT FROM removed_cards WHERE merchant_id = $1 AND token = $2) AS was_removed

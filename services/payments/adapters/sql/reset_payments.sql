-- Removes a merchant's payments, and waits for whoever is changing one: nothing begins on them any more.
-- Locked in the order in which changes are, so that none waits for another that waits for it. Says how
-- many there were. Where there are standbys to be waited for, this transaction waits for them even if it finds
-- nothing to remove: that somebody else has removed it is no proof that they know. The message is nobody's.
WITH own AS MATERIALIZED (
  SELECT id FROM payments WHERE merchant_id = $1 ORDER BY id
),
removed AS (
  DELETE FROM payments p USING own WHERE p.merchant_id = $1 AND p.id = own.id RETURNING 1
)
SELECT
  count(*),
  CASE
    WHEN current_setting('synchronous_standby_names') <> ''
      THEN pg_logical_emit_message(true, 'paygate', '')
  END AS waits
FROM removed

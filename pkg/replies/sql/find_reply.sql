-- The reply that was stored under an idempotency key, which must be held. Where there are standbys to be
-- waited for, the end of this transaction waits until they have what was found: a row that is there is
-- no proof of that. The message is nobody's.
SELECT
  fingerprint, sealed,
  CASE
    WHEN current_setting('synchronous_standby_names') <> ''
      THEN pg_logical_emit_message(true, 'paygate', '')
  END AS waits
FROM stored_replies
WHERE merchant_id = $1 AND rpc = $2 AND key = $3

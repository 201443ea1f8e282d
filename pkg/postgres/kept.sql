-- Waits until everything that was committed before it is kept where PostgreSQL was told to keep it: on
-- the synchronous standbys, too. The message is nobody's; what counts is that its commit is waited for.
-- Without a standby that has to be waited for, and on a standby, nothing is written.
SELECT CASE
  WHEN current_setting('synchronous_standby_names') <> '' AND NOT pg_is_in_recovery()
  THEN pg_logical_emit_message(true, 'paygate', '')
END

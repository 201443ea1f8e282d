-- What a crash, or the loss of a server, would lose payments by, for this very user and database.
SELECT name, setting FROM pg_settings
WHERE (name IN ('fsync', 'full_page_writes', 'synchronous_commit') AND setting = 'off')
  -- Where there are standbys to wait for, it is to wait for them.
  OR (
    name = 'synchronous_commit' AND setting = 'local'
    AND current_setting('synchronous_standby_names') <> '')
ORDER BY name

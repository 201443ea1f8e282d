-- What the connections to each database have written to the log, and how often it was brought to the
-- disk. A connection that has ended counts no more.
SELECT
  a.datname AS name, sum(w.wal_bytes)::bigint AS bytes, sum(w.wal_records)::bigint AS records,
  sum(w.wal_fpi)::bigint AS whole_pages,
  (SELECT sum(fsyncs)::bigint FROM pg_stat_io WHERE object = 'wal') AS flushes_of_all
FROM pg_stat_activity a
CROSS JOIN pg_stat_get_backend_wal(a.pid) w
WHERE a.datname IN ('payments', 'acquirer')
GROUP BY a.datname

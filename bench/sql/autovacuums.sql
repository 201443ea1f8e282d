-- How often autovacuum has been over the tables of this database.
SELECT coalesce(sum(autovacuum_count), 0)::bigint AS count FROM pg_stat_user_tables

-- What each table takes, with its indexes.
SELECT relname AS name, pg_table_size(oid)::bigint AS rows, pg_indexes_size(oid)::bigint AS indexes
FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace

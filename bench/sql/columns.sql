-- The columns of a table, in order.
SELECT column_name::text AS name, data_type::text AS type
FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = $1 AND is_generated = 'NEVER'
ORDER BY ordinal_position

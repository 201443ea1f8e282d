-- Data keys that another version than the newest one has wrapped. The prefix ends with a colon, and
-- starts_with knows no wildcards.
-- Shards: each, at most $2.
SELECT merchant_id, id, wrapped
FROM data_keys
WHERE NOT starts_with(wrapped, $1)
ORDER BY merchant_id, id
LIMIT $2

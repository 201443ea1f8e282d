-- How many data keys another version than the newest one has wrapped.
-- Shards: each.
SELECT count(*) FROM data_keys WHERE NOT starts_with(wrapped, $1)

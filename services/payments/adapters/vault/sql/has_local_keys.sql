-- Whether a data key was wrapped by a file of keys.
-- Shards: each.
SELECT EXISTS (SELECT FROM data_keys WHERE starts_with(wrapped, 'local:'))

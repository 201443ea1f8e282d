-- Stores a data key before the first card that is encrypted under it.
INSERT INTO data_keys (merchant_id, id, wrapped, create_time) VALUES ($1, $2, $3, clock_timestamp())

-- A merchant, unless it is there, and a key of it.
WITH merchant AS (
  INSERT INTO merchants (id, name, create_time) VALUES ($1, $2, $5)
  ON CONFLICT (id) DO NOTHING
)
INSERT INTO api_keys (merchant_id, id, digest, create_time) VALUES ($1, $3, $4, $5)

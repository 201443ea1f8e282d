-- Makes a merchant; no row when there is one with that id.
INSERT INTO merchants (id, name, create_time) VALUES ($1, $2, now())
ON CONFLICT (id) DO NOTHING
RETURNING *

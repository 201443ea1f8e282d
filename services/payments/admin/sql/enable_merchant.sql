-- Enables a merchant.
UPDATE merchants SET disable_time = NULL WHERE id = $1 RETURNING *

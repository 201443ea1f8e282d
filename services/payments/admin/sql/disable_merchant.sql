-- Disables a merchant; no row if there is none, or it is disabled: when it was first is kept.
UPDATE merchants SET disable_time = now() WHERE id = $1 AND disable_time IS NULL RETURNING *

-- Disables a merchant; when it was disabled first is kept.
UPDATE merchants SET disable_time = coalesce(disable_time, now()) WHERE id = $1 RETURNING *

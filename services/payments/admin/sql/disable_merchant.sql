-- Disables a merchant; when it was disabled first is kept. It is written again all the same: whoever is told
-- that it is disabled has waited for the standbys. (COALESCE takes no time on a cluster.)
UPDATE merchants SET disable_time = least(disable_time, now()) WHERE id = $1 RETURNING *

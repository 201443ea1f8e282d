-- Merchants by their ids.
SELECT * FROM merchants WHERE id > $1 ORDER BY id LIMIT $2

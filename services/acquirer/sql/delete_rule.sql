-- Removes a merchant's rule; returns a row if there was one.
DELETE FROM rules WHERE merchant_id = $1 AND id = $2 RETURNING id;

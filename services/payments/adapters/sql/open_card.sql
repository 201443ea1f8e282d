-- A card as it is stored, with its data key, wrapped.
SELECT c.data_key_id, c.ciphertext, k.wrapped
FROM cards c
JOIN data_keys k ON k.merchant_id = c.merchant_id AND k.id = c.data_key_id
WHERE c.merchant_id = $1 AND c.token = $2

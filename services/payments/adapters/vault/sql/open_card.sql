-- A card as it is stored, with its data key, wrapped, and whether its last use was noted long ago; or why
-- it was removed.
SELECT
  c.data_key_id, c.ciphertext, k.wrapped,
  c.use_time < gateway_now($1) - interval '1 day' AS is_stale, NULL AS cause
FROM cards c
JOIN data_keys k ON k.merchant_id = c.merchant_id AND k.id = c.data_key_id
WHERE c.merchant_id = $1 AND c.token = $2
UNION ALL
SELECT NULL, NULL, NULL, NULL, cause
FROM removed_cards
WHERE merchant_id = $1 AND token = $2

-- Removes what is older than the last $2 messages of each of the merchants $1.
DELETE FROM inbox_messages m
USING (
  SELECT i.merchant_id, first_out.id
  FROM unnest($1::text[]) AS i (merchant_id)
  CROSS JOIN LATERAL (
    SELECT id
    FROM inbox_messages
    WHERE merchant_id = i.merchant_id
    ORDER BY id DESC
    OFFSET $2::bigint
    LIMIT 1) first_out) old
WHERE m.merchant_id = old.merchant_id AND m.id <= old.id

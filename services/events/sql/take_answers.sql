-- Takes messages out, by their places, that are answered; of those in $4 the others as well.
DELETE FROM listener_messages m
USING unnest($1::text[], $2::text[], $3::text[], $4::boolean[])
  AS w (merchant_id, endpoint_id, id, answered_or_not)
WHERE m.merchant_id = w.merchant_id
  AND m.endpoint_id = w.endpoint_id
  AND m.id = w.id
  AND (m.status_code IS NOT NULL OR w.answered_or_not)
RETURNING m.id, m.status_code, m.problem, m.reply

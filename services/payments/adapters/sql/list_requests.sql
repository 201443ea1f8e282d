-- A merchant's calls that began before a place, the last ones first: $4 of them. Empty texts are for any.
--
-- At most $5 are looked at: if that was not enough, the last row `is_last`, wanted or not.
SELECT
  id, began, service, method, code, reason, microseconds, idempotency_key, replayed,
  payment_id, key_id, rest, request, request_bytes, reply, reply_bytes,
  began AS commit_order, is_wanted, is_last
FROM (
  SELECT
    l.*,
    (NOT $6::boolean OR code <> 'OK')
      AND ($7::text = '' OR payment_id = $7)
      AND ($8::text = '' OR idempotency_key = $8)
      AND ($9::text = '' OR method = $9) AS is_wanted,
    row_number() OVER (ORDER BY began DESC, id DESC) = $5 AS is_last
  FROM (
    SELECT *
    FROM logged_requests
    WHERE merchant_id = $1 AND (began, id) < ($2::bigint, $3)
    ORDER BY began DESC, id DESC
    LIMIT $5::bigint
  ) l
) looked_at
WHERE is_wanted OR is_last
ORDER BY began DESC, id DESC
LIMIT $4

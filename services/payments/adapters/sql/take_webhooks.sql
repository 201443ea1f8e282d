-- Gives a listener ($3) up to $4 messages of its endpoint that it has not had and nobody has answered.
WITH given AS MATERIALIZED (
  SELECT m.id, m.taken_by <> '' AS taken_before
  FROM listener_messages m
  JOIN listeners l USING (merchant_id, endpoint_id)
  WHERE m.merchant_id = $1
    AND m.endpoint_id = $2
    AND m.status_code IS NULL
    AND m.taken_by <> $3
    AND l.listener = $3
  ORDER BY m.id
  LIMIT $4
  FOR UPDATE OF m SKIP LOCKED
),
taken AS (
  UPDATE listener_messages m SET taken_by = $3
  FROM given g
  WHERE m.merchant_id = $1 AND m.endpoint_id = $2 AND m.id = g.id
  RETURNING m.id, m.event_id, m.attempt, g.taken_before, m.headers, m.body
)
SELECT * FROM taken ORDER BY id

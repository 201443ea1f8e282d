-- Between which places a merchant's events of a period are: after the last one with an id below $2,
-- before the first one with the id $3 or a later one. Null where there is none.
SELECT
  earlier.commit_order AS after_commit_order,
  earlier.id AS after_id,
  later.commit_order AS before_commit_order,
  later.id AS before_id
FROM (VALUES (1)) always
LEFT JOIN LATERAL (
  SELECT commit_order, id
  FROM outbox
  WHERE merchant_id = $1 AND id < $2
  ORDER BY id DESC
  LIMIT 1) earlier ON true
LEFT JOIN LATERAL (
  SELECT commit_order, id
  FROM outbox
  WHERE merchant_id = $1 AND id >= $3
  ORDER BY id
  LIMIT 1) later ON true

-- Payments and the records of idempotency keys, a row for each that is asked for, in order and from one
-- snapshot; each may be missing.
SELECT
  p.*,
  (SELECT c.reading FROM sandbox_clocks c WHERE c.merchant_id = i.merchant_id) AS clock,
  k.fingerprint AS key_fingerprint,
  k.action_id AS key_action_id,
  k.reply AS key_reply
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY
  AS i (merchant_id, id, rpc, key, ord)
LEFT JOIN payments p ON p.merchant_id = i.merchant_id AND p.id = i.id
LEFT JOIN idempotency_keys k
  ON k.merchant_id = i.merchant_id AND k.rpc = i.rpc AND k.key = i.key
ORDER BY i.ord

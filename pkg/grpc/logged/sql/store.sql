-- Writes calls into the request log, of any merchants.
INSERT INTO logged_requests (
  merchant_id, began, id, service, method, code, reason, microseconds, idempotency_key,
  replayed, payment_id, key_id, rest, request, request_bytes, reply, reply_bytes
)
SELECT *
FROM unnest(
  $1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
  $8::bigint[], $9::text[], $10::boolean[], $11::text[], $12::text[], $13::boolean[],
  $14::bytea[], $15::bigint[], $16::bytea[], $17::bigint[]
)
ON CONFLICT DO NOTHING

-- Keeps what was posted to the inbox by endpoints that are still there.
INSERT INTO inbox_messages
  (merchant_id, id, create_time, endpoint_id, event_id, status_code, headers, body)
SELECT
  i.merchant_id, i.id,
  i.begin_time + coalesce((SELECT c.ahead FROM sandbox_clocks c WHERE c.merchant_id = i.merchant_id), interval '0'),
  i.endpoint_id, i.event_id, i.status_code, i.headers, i.body
FROM unnest(
  $1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::bigint[], $7::text[],
  $8::text[]
) AS i (merchant_id, id, begin_time, endpoint_id, event_id, status_code, headers, body)
JOIN webhook_endpoints e ON e.merchant_id = i.merchant_id AND e.id = i.endpoint_id

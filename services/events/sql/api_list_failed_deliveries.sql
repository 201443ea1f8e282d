-- Failed deliveries to the endpoint $2, of events with an id below $3; the newest event first: $4 of
-- them. The index of failed ones finds them, however few they are.
SELECT
  d.*, d.event_id AS id, o.type AS event_type, o.create_time AS event_time,
  true AS is_wanted, false AS is_last
FROM (
  SELECT *
  FROM webhook_deliveries
  WHERE merchant_id = $1 AND endpoint_id = $2 AND event_id < $3 AND status = 'FAILED'
  ORDER BY merchant_id DESC, endpoint_id DESC, event_id DESC
  LIMIT $4
) d
LEFT JOIN outbox o ON o.merchant_id = d.merchant_id AND o.id = d.event_id
ORDER BY d.event_id DESC

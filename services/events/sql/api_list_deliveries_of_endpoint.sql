-- Deliveries to the endpoint $2, of events with an id below $3, of one status unless $4 is null; the
-- newest event first: $5 of them. For failed ones see api_list_failed_deliveries.sql.
--
-- At most $6 are looked at, as in api_list_events.sql: if that was not enough, the last row `is_last`.
SELECT d.*, o.type AS event_type, o.create_time AS event_time
FROM (
  SELECT *
  FROM (
    SELECT
      l.*, event_id AS id,
      $4::text IS NULL OR status = $4 AS is_wanted,
      row_number() OVER (ORDER BY event_id DESC) = $6 AS is_last
    FROM (
      SELECT *
      FROM webhook_deliveries
      WHERE merchant_id = $1 AND endpoint_id = $2 AND event_id < $3
      ORDER BY merchant_id DESC, endpoint_id DESC, event_id DESC
      LIMIT $6::bigint
    ) l
  ) looked_at
  WHERE is_wanted OR is_last
  ORDER BY event_id DESC
  LIMIT $5
) d
LEFT JOIN outbox o ON o.merchant_id = d.merchant_id AND o.id = d.event_id
ORDER BY d.event_id DESC

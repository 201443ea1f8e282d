-- Gives back claims of deliveries that were not attempted, unless they were claimed anew meanwhile.
UPDATE webhook_deliveries d SET lease_time = NULL
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) AS c (
  merchant_id, endpoint_id, event_id, lease_time)
WHERE d.merchant_id = c.merchant_id
  AND d.endpoint_id = c.endpoint_id
  AND d.event_id = c.event_id
  AND d.due_time IS NOT NULL
  AND d.lease_time = c.lease_time

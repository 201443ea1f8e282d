-- Gives up the leases of events that the bus has not taken.
UPDATE outbox o SET publish_lease_time = NULL
FROM unnest($1::text[], $2::text[]) AS left_over (merchant_id, id)
WHERE o.merchant_id = left_over.merchant_id
  AND o.id = left_over.id
  AND o.publish_lease_time < 'infinity'

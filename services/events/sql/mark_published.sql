-- Notes that the bus has taken events, whoever holds their leases now. The lease that never ends
-- keeps them from whoever still takes them for unpublished.
UPDATE outbox o SET
  publish_time = clock_timestamp()
    + coalesce((SELECT c.ahead FROM sandbox_clocks c WHERE c.merchant_id = o.merchant_id), interval '0'),
  publish_lease_time = 'infinity'
FROM unnest($1::text[], $2::text[]) AS done (merchant_id, id)
WHERE o.merchant_id = done.merchant_id AND o.id = done.id

-- Notes that the bus has taken events, whoever holds their leases now. The lease that never ends
-- keeps them from whoever still takes them for unpublished.
UPDATE outbox o SET publish_time = (SELECT gateway_now()), publish_lease_time = 'infinity'
FROM unnest($1::text[], $2::text[]) AS done (merchant_id, id)
WHERE o.merchant_id = done.merchant_id AND o.id = done.id

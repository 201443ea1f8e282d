-- Makes the test event $3, which became true at $5, and its delivery to the endpoint $2 alone.
--
-- It is relayed as it is made, and is not for the bus, which tells of payments. It is a stream of its
-- own, under its own id: a test that is not taken holds back nothing, and nothing holds it back.
WITH event AS (
  INSERT INTO outbox
    (merchant_id, id, payment_id, sequence, type, payload, create_time, relay_time, publish_time,
     commit_order)
  VALUES ($1, $3, $3, 1, 'webhook.test', $4, $5, $5, $5, (SELECT own_commit_order()))
  RETURNING *
)
INSERT INTO webhook_deliveries AS d
  (merchant_id, endpoint_id, event_id, payment_id, sequence, status, due_time, create_time, commit_order)
SELECT
  merchant_id, $2, id, payment_id, sequence, 'PENDING', create_time, create_time, commit_order
FROM event
RETURNING *, 'webhook.test' AS event_type, create_time AS event_time

-- Removes up to $2 rows of a merchant from each table that may have many, and its endpoints; says how many
-- went. What the bank has of them is noted, as by a reset.
WITH gone_payments AS (
  DELETE FROM payments
  WHERE merchant_id = $1
    AND id IN (SELECT id FROM payments WHERE merchant_id = $1 ORDER BY id LIMIT $2)
  RETURNING 1
),
gone_actions AS (
  DELETE FROM actions
  WHERE merchant_id = $1
    AND id IN (SELECT id FROM actions WHERE merchant_id = $1 ORDER BY id LIMIT $2)
  RETURNING id
),
noted AS (
  INSERT INTO bank_leftovers (reference, remove_time)
  SELECT id, clock_timestamp() + interval '1 minute' FROM gone_actions
  ON CONFLICT DO NOTHING
),
gone_events AS (
  DELETE FROM outbox
  WHERE merchant_id = $1
    AND id IN (SELECT id FROM outbox WHERE merchant_id = $1 ORDER BY id LIMIT $2)
  RETURNING 1
),
gone_keys AS (
  DELETE FROM idempotency_keys
  WHERE merchant_id = $1
    AND (rpc, key) IN (
      SELECT rpc, key FROM idempotency_keys WHERE merchant_id = $1 ORDER BY rpc, key LIMIT $2)
  RETURNING 1
),
gone_cards AS (
  DELETE FROM cards
  WHERE merchant_id = $1
    AND token IN (SELECT token FROM cards WHERE merchant_id = $1 ORDER BY token LIMIT $2)
  RETURNING 1
),
gone_card_notes AS (
  DELETE FROM removed_cards
  WHERE merchant_id = $1
    AND token IN (SELECT token FROM removed_cards WHERE merchant_id = $1 ORDER BY token LIMIT $2)
  RETURNING 1
),
gone_deliveries AS (
  DELETE FROM webhook_deliveries
  WHERE merchant_id = $1
    AND (endpoint_id, event_id) IN (
      SELECT endpoint_id, event_id FROM webhook_deliveries
      WHERE merchant_id = $1 ORDER BY endpoint_id, event_id LIMIT $2)
  RETURNING 1
),
gone_attempts AS (
  DELETE FROM webhook_attempts
  WHERE merchant_id = $1
    AND (endpoint_id, event_id, number) IN (
      SELECT endpoint_id, event_id, number FROM webhook_attempts
      WHERE merchant_id = $1 ORDER BY endpoint_id, event_id, number LIMIT $2)
  RETURNING 1
),
-- Of a merchant there are not many. No attempt begins any more without them.
gone_endpoints AS (DELETE FROM webhook_endpoints WHERE merchant_id = $1 RETURNING 1)
SELECT
  (SELECT count(*) FROM gone_endpoints) + (SELECT count(*) FROM gone_payments) + (SELECT count(*) FROM gone_actions)
  + (SELECT count(*) FROM gone_events) + (SELECT count(*) FROM gone_keys)
  + (SELECT count(*) FROM gone_cards) + (SELECT count(*) FROM gone_card_notes)
  + (SELECT count(*) FROM gone_deliveries) + (SELECT count(*) FROM gone_attempts)

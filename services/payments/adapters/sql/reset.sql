-- Removes what belongs to payments of a merchant that are gone, its webhook endpoints, and whatever else
-- it has but itself and its API keys. What belongs to a payment that was made meanwhile stays. What the bank
-- has of it is noted, to be removed when nothing is on its way there any more.
WITH deliveries AS (DELETE FROM webhook_deliveries WHERE merchant_id = $1),
attempts AS (DELETE FROM webhook_attempts WHERE merchant_id = $1),
inbox AS (DELETE FROM inbox_messages WHERE merchant_id = $1),
listening AS (DELETE FROM listeners WHERE merchant_id = $1),
to_listeners AS (DELETE FROM listener_messages WHERE merchant_id = $1),
secrets AS (DELETE FROM webhook_secrets WHERE merchant_id = $1),
endpoints AS (DELETE FROM webhook_endpoints WHERE merchant_id = $1),
requests AS (DELETE FROM logged_requests WHERE merchant_id = $1),
replies AS (DELETE FROM stored_replies WHERE merchant_id = $1),
card_notes AS (DELETE FROM removed_cards WHERE merchant_id = $1),
gone_cards AS (
  DELETE FROM cards c
  WHERE c.merchant_id = $1
    AND NOT c.token = ANY(ARRAY(SELECT card_token FROM payments WHERE merchant_id = $1))
),
events AS (
  DELETE FROM outbox o
  WHERE o.merchant_id = $1
    AND NOT EXISTS (
      SELECT FROM payments p WHERE p.merchant_id = o.merchant_id AND p.id = o.payment_id)
),
keys AS (
  DELETE FROM idempotency_keys k
  WHERE k.merchant_id = $1
    AND NOT EXISTS (
      SELECT
      FROM actions a
      JOIN payments p ON p.merchant_id = a.merchant_id AND p.id = a.payment_id
      WHERE a.merchant_id = k.merchant_id AND a.id = k.action_id)
),
gone_actions AS (
  DELETE FROM actions a
  WHERE a.merchant_id = $1
    AND NOT EXISTS (
      SELECT FROM payments p WHERE p.merchant_id = a.merchant_id AND p.id = a.payment_id)
  RETURNING a.id
)
INSERT INTO bank_leftovers (reference, remove_time)
SELECT id, clock_timestamp() + interval '1 minute' FROM gone_actions
ON CONFLICT DO NOTHING

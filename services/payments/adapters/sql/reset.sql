-- Removes everything of a merchant but itself and its API keys; says how many payments there were.
WITH deliveries AS (DELETE FROM webhook_deliveries WHERE merchant_id = $1),
secrets AS (DELETE FROM webhook_secrets WHERE merchant_id = $1),
endpoints AS (DELETE FROM webhook_endpoints WHERE merchant_id = $1),
events AS (DELETE FROM outbox WHERE merchant_id = $1),
keys AS (DELETE FROM idempotency_keys WHERE merchant_id = $1),
replies AS (DELETE FROM stored_replies WHERE merchant_id = $1),
removed_actions AS (DELETE FROM actions WHERE merchant_id = $1),
kept_cards AS (DELETE FROM cards WHERE merchant_id = $1),
gone_cards AS (DELETE FROM removed_cards WHERE merchant_id = $1),
removed AS (DELETE FROM payments WHERE merchant_id = $1 RETURNING 1)
SELECT count(*) FROM removed

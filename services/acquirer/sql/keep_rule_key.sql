-- Keeps what was asked for under an idempotency key, and drops the merchant's keys that are a day old.
WITH old AS (
    DELETE FROM rule_keys
    WHERE merchant_id = $1 AND created_at < now() - interval '24 hours'
)

INSERT INTO rule_keys (merchant_id, key, fingerprint, rule) VALUES ($1, $2, $3, $4);

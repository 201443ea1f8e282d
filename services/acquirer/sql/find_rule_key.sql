-- What was asked for under an idempotency key.
SELECT fingerprint, rule FROM rule_keys WHERE merchant_id = $1 AND key = $2;

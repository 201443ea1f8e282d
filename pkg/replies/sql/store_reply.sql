-- Stores a reply under its idempotency key, which must be held, in the transaction of what it tells.
INSERT INTO stored_replies (merchant_id, rpc, key, fingerprint, sealed, create_time)
VALUES ($1, $2, $3, $4, $5, gateway_now($1))

-- The whole authorization in one statement; returns the stored reply and fingerprint if the key was used before.
WITH claimed AS (
  INSERT INTO idempotency_keys (merchant_id, key, fingerprint, reply, create_time)
  VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT DO NOTHING
  RETURNING true AS fresh
),
payment AS (
  INSERT INTO payments (
    id, merchant_id, status, currency, authorized, captured, refunded, card_brand, card_last4,
    card_expiry_month, card_expiry_year, card_fingerprint, card_ciphertext, reference,
    create_time, expire_time)
  SELECT $6, $1, 'AUTHORIZED', $7, $8, 0, 0, $9, $10, $11, $12, $13, $14, $15, $5, $16
  FROM claimed
),
action AS (
  INSERT INTO actions (id, payment_id, type, status, currency, minor_units, create_time)
  SELECT $17, $6, 'AUTHORIZE', 'SUCCEEDED', $7, $8, $5
  FROM claimed
),
event AS (
  INSERT INTO outbox (id, payment_id, type, payload, create_time)
  SELECT $18, $6, 'payment.authorized', $4, $5
  FROM claimed
)
SELECT fresh FROM claimed

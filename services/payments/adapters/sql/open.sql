-- Stores a group of payments that begin: for each the payment, its authorization (PENDING), the
-- idempotency key that it claims and its card; or nothing of it. Returns a row for each, with whether
-- it `has_key`, but for those that were decided by a clock that has been turned since: `clock` is how far
-- the merchant's must be ahead, in microseconds.
--
-- The ids are new: whoever else is at work can only meet these rows in the keys. Those are claimed in
-- one order, so that concurrent groups cannot deadlock.
WITH input AS MATERIALIZED (
  SELECT *
  FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[],
    $6::text[], $7::text[], $8::smallint[], $9::smallint[], $10::bytea[], $11::text[],
    $12::text[], $13::timestamptz[], $14::timestamptz[],
    $15::text[], $16::bytea[], $17::text[], $18::bytea[], $19::bigint[]
  ) WITH ORDINALITY AS i (
    merchant_id, id, action_id, currency, minor_units,
    card_brand, card_last4, card_expiry_month, card_expiry_year, card_fingerprint, card_token,
    reference, create_time, expire_time,
    key, fingerprint, data_key_id, card_ciphertext, clock,
    ord)
  WHERE clock
    = coalesce((SELECT c.reading[2] FROM sandbox_clocks c WHERE c.merchant_id = i.merchant_id), 0)
),
claimed AS (
  INSERT INTO idempotency_keys
    (merchant_id, rpc, key, fingerprint, action_id, create_time)
  SELECT merchant_id, 'AUTHORIZE', key, fingerprint, action_id, create_time
  FROM input
  WHERE fingerprint IS NOT NULL
  ORDER BY merchant_id, key
  ON CONFLICT DO NOTHING
  RETURNING action_id -- not the key: two payments of one group may want the same one
),
go AS MATERIALIZED (
  SELECT *
  FROM input
  WHERE fingerprint IS NULL OR action_id IN (SELECT action_id FROM claimed)
),
stored_payments AS (
  INSERT INTO payments (
    merchant_id, id, version, status, authorization_state, authorization_id, currency,
    authorized, captured, refunded, capturing, refunding,
    closing, closed, voiding, voided, reversing, expiring, expired,
    card_brand, card_last4, card_expiry_month, card_expiry_year, card_fingerprint, card_token,
    reference, last_sequence, create_time, update_time, expire_time, commit_order)
  SELECT
    merchant_id, id, 1, 'PENDING', 'PENDING', action_id, currency,
    minor_units, 0, 0, 0, 0,
    false, false, false, false, false, false, false,
    card_brand, card_last4, card_expiry_month, card_expiry_year, card_fingerprint, card_token,
    reference, 1, create_time, create_time, expire_time, (SELECT own_commit_order())
  FROM go
),
stored_actions AS (
  INSERT INTO actions (
    merchant_id, id, payment_id, type, status, currency, minor_units, final, reference,
    sequence, idempotency_key, create_time, update_time, due_time)
  SELECT
    merchant_id, action_id, id, 'AUTHORIZE', 'PENDING', currency, minor_units, false, reference,
    -- Real time, the database's own: a lease must not move with the clock of the sandbox.
    1, key, create_time, create_time, clock_timestamp() + $20::interval
  FROM go
),
stored_cards AS (
  INSERT INTO cards
    (merchant_id, token, data_key_id, ciphertext, create_time, use_time, expire_time)
  SELECT
    merchant_id, card_token, data_key_id, card_ciphertext, create_time, create_time,
    make_timestamptz(card_expiry_year, card_expiry_month, 1, 0, 0, 0, 'UTC') + interval '1 month'
  FROM go
  WHERE card_ciphertext IS NOT NULL
)
SELECT ord, fingerprint IS NULL OR action_id IN (SELECT action_id FROM claimed) AS has_key
FROM input

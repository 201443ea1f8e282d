-- Stores a group of changes, each whole or not at all, and says for each what became of it.
--
-- Read committed. Rows of payments are locked in one order and keys are claimed in one order after
-- all of those locks, so that concurrent groups cannot deadlock. The version is compared on the
-- locked row, never in the snapshot. Of several changes to one payment in a group the first goes;
-- the others are conflicts. An action that has ended is never changed again.
WITH input AS MATERIALIZED (
  SELECT i.*, row_number() OVER (PARTITION BY i.merchant_id, i.id ORDER BY i.ord) AS nth
  FROM unnest(
    $1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[],
    $13::boolean[], $14::boolean[], $15::boolean[], $16::boolean[], $17::boolean[], $18::boolean[],
    $19::boolean[],
    $20::text[], $21::text[], $22::smallint[], $23::smallint[], $24::bytea[],
    $25::text[],
    $26::text[], $27::text[], $28::bigint[], $29::timestamptz[], $30::timestamptz[],
    $31::timestamptz[],
    $32::text[], $33::text[], $34::text[], $35::bytea[], $36::smallint[], $37::bytea[],
    $38::text[], $39::text[], $40::bytea[], $41::text[], $42::bytea[]
  ) WITH ORDINALITY AS i (
    merchant_id, id, version, status, authorization_state, authorization_id, currency,
    authorized, captured, refunded, capturing, refunding,
    closing, closed, voiding, voided, reversing, expiring, expired,
    card_brand, card_last4, card_expiry_month, card_expiry_year, card_fingerprint, card_token,
    reference, decline_code, last_sequence, create_time, update_time,
    expire_time,
    rpc, key, action_id, fingerprint, fingerprint_version, reply,
    event_id, event_type, event_payload, data_key_id, card_ciphertext,
    ord)
),
action AS MATERIALIZED (
  SELECT a.*
  FROM unnest(
    $43::bigint[], $44::text[], $45::text[], $46::text[], $47::text[], $48::text[], $49::text[],
    $50::bigint[], $51::boolean[], $52::text[], $53::text[], $54::bigint[], $55::text[],
    $56::timestamptz[], $57::timestamptz[]
  ) AS a (
    ord, merchant_id, id, payment_id, type, status, currency,
    minor_units, final, reference, decline_code, sequence, idempotency_key,
    create_time, update_time)
),
locked AS MATERIALIZED (
  SELECT p.merchant_id, p.id, p.version
  FROM payments p
  JOIN input i ON p.merchant_id = i.merchant_id AND p.id = i.id
  WHERE i.nth = 1 AND i.version > 1
  ORDER BY p.merchant_id, p.id
  FOR NO KEY UPDATE OF p
),
ended AS MATERIALIZED (
  SELECT a.ord
  FROM action a
  -- LIMIT: a look by key for each, and never a join over all that there is.
  CROSS JOIN LATERAL (
    SELECT stored.status
    FROM actions stored
    WHERE stored.merchant_id = a.merchant_id AND stored.id = a.id
    LIMIT 1) stored
  WHERE stored.status <> 'PENDING'
),
fresh AS MATERIALIZED (
  SELECT i.*
  FROM input i
  LEFT JOIN locked l ON l.merchant_id = i.merchant_id AND l.id = i.id
  WHERE i.nth = 1
    AND (i.version = 1 OR l.version = i.version - 1)
    AND i.ord NOT IN (SELECT ord FROM ended)
),
claimed AS (
  INSERT INTO idempotency_keys
    (merchant_id, rpc, key, fingerprint, fingerprint_version, action_id, create_time)
  SELECT merchant_id, rpc, key, fingerprint, fingerprint_version, action_id, update_time
  FROM fresh
  WHERE fingerprint IS NOT NULL
  ORDER BY merchant_id, rpc, key
  ON CONFLICT DO NOTHING
  RETURNING action_id -- not the key: two changes of one group may want the same one
),
go AS MATERIALIZED (
  SELECT *
  FROM fresh
  WHERE fingerprint IS NULL OR action_id IN (SELECT action_id FROM claimed)
),
inserted_payments AS (
  INSERT INTO payments (
    merchant_id, id, version, status, authorization_state, authorization_id, currency,
    authorized, captured, refunded, capturing, refunding,
    closing, closed, voiding, voided, reversing, expiring, expired,
    card_brand, card_last4, card_expiry_month, card_expiry_year, card_fingerprint, card_token,
    reference, decline_code, last_sequence, create_time, update_time, expire_time)
  SELECT
    merchant_id, id, version, status, authorization_state, authorization_id, currency,
    authorized, captured, refunded, capturing, refunding,
    closing, closed, voiding, voided, reversing, expiring, expired,
    card_brand, card_last4, card_expiry_month, card_expiry_year, card_fingerprint, card_token,
    reference, decline_code, last_sequence, create_time, update_time, expire_time
  FROM go
  WHERE version = 1
),
updated_payments AS (
  UPDATE payments p SET
    version = go.version,
    status = go.status,
    authorization_state = go.authorization_state,
    captured = go.captured,
    refunded = go.refunded,
    capturing = go.capturing,
    refunding = go.refunding,
    closing = go.closing,
    closed = go.closed,
    voiding = go.voiding,
    voided = go.voided,
    reversing = go.reversing,
    expiring = go.expiring,
    expired = go.expired,
    decline_code = go.decline_code,
    last_sequence = go.last_sequence,
    update_time = go.update_time
  FROM go
  WHERE go.version > 1 AND p.merchant_id = go.merchant_id AND p.id = go.id
),
stored_actions AS (
  INSERT INTO actions (
    merchant_id, id, payment_id, type, status, currency, minor_units, final, reference,
    decline_code, sequence, idempotency_key, create_time, update_time, due_time)
  SELECT
    a.merchant_id, a.id, a.payment_id, a.type, a.status, a.currency, a.minor_units, a.final,
    a.reference, a.decline_code, a.sequence, a.idempotency_key, a.create_time, a.update_time,
    -- Real time, the database's own: a lease must not move with the clock of the sandbox.
    CASE WHEN a.status = 'PENDING' THEN clock_timestamp() + $58::interval END
  FROM action a
  JOIN go ON go.ord = a.ord
  ON CONFLICT (merchant_id, id) DO UPDATE SET
    status = EXCLUDED.status,
    decline_code = EXCLUDED.decline_code,
    update_time = EXCLUDED.update_time,
    due_time = EXCLUDED.due_time
),
stored_replies AS (
  UPDATE idempotency_keys k SET reply = go.reply
  FROM go
  WHERE go.reply IS NOT NULL
    AND k.merchant_id = go.merchant_id AND k.rpc = go.rpc AND k.key = go.key
    AND k.action_id = go.action_id
),
stored_events AS (
  INSERT INTO outbox (merchant_id, id, payment_id, sequence, type, payload, create_time)
  SELECT merchant_id, event_id, id, version, event_type, event_payload, update_time
  FROM go
  WHERE event_id IS NOT NULL
),
stored_cards AS (
  INSERT INTO cards (merchant_id, token, data_key_id, ciphertext, create_time)
  SELECT merchant_id, card_token, data_key_id, card_ciphertext, create_time
  FROM go
  WHERE card_ciphertext IS NOT NULL
)
SELECT
  CASE
    WHEN go.ord IS NOT NULL THEN 'COMMITTED'
    WHEN fresh.ord IS NOT NULL THEN 'KEY_HELD'
    ELSE 'CONFLICT'
  END AS result
FROM input
LEFT JOIN fresh ON fresh.ord = input.ord
LEFT JOIN go ON go.ord = input.ord
ORDER BY input.ord

-- Stores a group of actions that begin on payments that are there: for each the action (PENDING), what
-- it does to the payment, and the idempotency key that it claims; or nothing of it. Returns a row for
-- each whose payment is still the one that it was decided on, with whether it `has_key`.
--
-- Read committed. Payments are locked in one order and keys are claimed in one order after all of
-- those locks, so that concurrent groups cannot deadlock. The version is compared on the locked row,
-- never in the snapshot. Of several actions on one payment in a group the first goes. What no action
-- changes by its beginning (status, authorization, what was captured and refunded) is left alone.
WITH input AS MATERIALIZED (
  SELECT i.*, row_number() OVER (PARTITION BY i.merchant_id, i.id ORDER BY i.ord) AS nth
  FROM unnest(
    $1::text[], $2::text[], $3::bigint[],
    $4::bigint[], $5::bigint[],
    $6::boolean[], $7::boolean[], $8::boolean[], $9::boolean[],
    $10::bigint[], $11::timestamptz[],
    $12::text[], $13::text[], $14::bigint[], $15::boolean[], $16::text[],
    $17::text[], $18::bytea[]
  ) WITH ORDINALITY AS i (
    merchant_id, id, version,
    capturing, refunding,
    closing, voiding, reversing, expiring,
    last_sequence, update_time,
    action_id, type, minor_units, final, reference,
    key, fingerprint,
    ord)
),
fresh AS MATERIALIZED (
  SELECT locked.*
  FROM (
    SELECT i.*, p.currency, p.version AS stored_version
    FROM payments p
    JOIN input i ON p.merchant_id = i.merchant_id AND p.id = i.id
    WHERE i.nth = 1
    ORDER BY p.merchant_id, p.id
    FOR NO KEY UPDATE OF p
  ) locked
  WHERE stored_version = version - 1
),
claimed AS (
  INSERT INTO idempotency_keys
    (merchant_id, rpc, key, fingerprint, action_id, create_time)
  SELECT merchant_id, type, key, fingerprint, action_id, update_time
  FROM fresh
  WHERE fingerprint IS NOT NULL
  ORDER BY merchant_id, type, key
  ON CONFLICT DO NOTHING
  RETURNING action_id -- not the key: two changes of one group may want the same one
),
go AS MATERIALIZED (
  SELECT *
  FROM fresh
  WHERE fingerprint IS NULL OR action_id IN (SELECT action_id FROM claimed)
),
updated_payments AS (
  UPDATE payments p SET
    version = go.version,
    capturing = go.capturing,
    refunding = go.refunding,
    closing = go.closing,
    voiding = go.voiding,
    reversing = go.reversing,
    expiring = go.expiring,
    last_sequence = go.last_sequence,
    update_time = go.update_time
  FROM go
  WHERE p.merchant_id = go.merchant_id AND p.id = go.id
),
stored_actions AS (
  INSERT INTO actions (
    merchant_id, id, payment_id, type, status, currency, minor_units, final, reference,
    sequence, idempotency_key, create_time, update_time, due_time)
  SELECT
    merchant_id, action_id, id, type, 'PENDING', currency, minor_units, final, reference,
    -- Real time, the database's own: a lease must not move with the clock of the sandbox.
    last_sequence, key, update_time, update_time, clock_timestamp() + $19::interval
  FROM go
)
SELECT ord, fingerprint IS NULL OR action_id IN (SELECT action_id FROM claimed) AS has_key
FROM fresh

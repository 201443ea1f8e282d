-- Stores actions that begin on one payment, decided one after the other: all of them with what the last
-- one leaves of the payment, and the idempotency keys that they claim; or nothing. Takes what `begin.sql`
-- takes. Returns whether the payment still was the one that the first was decided on; a key that is held
-- ends the statement by a division by zero, since what follows was decided on that action.
--
-- Read committed. Keys are claimed in one order, after the payment is locked, so that this cannot deadlock
-- with others. The version is compared on the locked row, never in the snapshot.
WITH input AS MATERIALIZED (
  SELECT *
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
  SELECT input.*, locked.currency
  FROM (
    SELECT p.version AS stored_version, p.currency
    FROM payments p
    JOIN (SELECT merchant_id, id FROM input LIMIT 1) one
      ON p.merchant_id = one.merchant_id AND p.id = one.id
    FOR NO KEY UPDATE OF p
  ) locked, input
  WHERE locked.stored_version = (SELECT min(version) FROM input) - 1
),
claimed AS (
  INSERT INTO idempotency_keys
    (merchant_id, rpc, key, fingerprint, action_id, create_time)
  SELECT merchant_id, type, key, fingerprint, action_id, update_time
  FROM fresh
  WHERE fingerprint IS NOT NULL
  ORDER BY merchant_id, type, key
  ON CONFLICT DO NOTHING
  RETURNING action_id
),
updated_payments AS (
  UPDATE payments p SET
    version = last.version,
    capturing = last.capturing,
    refunding = last.refunding,
    closing = last.closing,
    voiding = last.voiding,
    reversing = last.reversing,
    expiring = last.expiring,
    last_sequence = last.last_sequence,
    update_time = last.update_time
  FROM (SELECT * FROM fresh ORDER BY version DESC LIMIT 1) last
  WHERE p.merchant_id = last.merchant_id AND p.id = last.id
),
stored_actions AS (
  INSERT INTO actions (
    merchant_id, id, payment_id, type, status, currency, minor_units, final, reference,
    sequence, idempotency_key, create_time, update_time, due_time)
  SELECT
    merchant_id, action_id, id, type, 'PENDING', currency, minor_units, final, reference,
    -- Real time, the database's own: a lease must not move with the clock of the sandbox.
    last_sequence, key, update_time, update_time, clock_timestamp() + $19::interval
  FROM fresh
)
SELECT
  EXISTS (SELECT FROM fresh) AS is_stored,
  1 / ((SELECT count(*) FROM claimed) = (SELECT count(fingerprint) FROM fresh))::int AS has_keys

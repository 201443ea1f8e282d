-- Stores captures, voids and refunds of one payment that have ended, settled one after the other: all of
-- them with what the last one leaves of the payment, the replies under their idempotency keys and the
-- events; or nothing. Takes what `settle_operation.sql` takes. Returns whether it is stored, and whether
-- all of the actions were still PENDING.
--
-- Read committed: PostgreSQL compares the version once more on a row that somebody else was changing,
-- after waiting for the lock.
WITH input AS MATERIALIZED (
  SELECT *
  FROM unnest(
    $1::text[], $2::text[], $3::bigint[], $4::text[],
    $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
    $9::boolean[], $10::boolean[], $11::boolean[], $12::boolean[],
    $13::timestamptz[],
    $14::text[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::bytea[],
    $21::text[], $22::text[], $23::bytea[]
  ) WITH ORDINALITY AS i (
    merchant_id, id, version, status,
    captured, refunded, capturing, refunding,
    closing, closed, voiding, voided,
    update_time,
    action_id, type, action_status, decline_code, approval_code, key, reply,
    event_id, event_type, event_payload,
    ord)
),
pending AS MATERIALIZED (
  SELECT count(DISTINCT a.id) = (SELECT count(*) FROM input) AS are_all
  FROM input i
  JOIN actions a ON a.merchant_id = i.merchant_id AND a.id = i.action_id
  WHERE a.status = 'PENDING'
),
done AS (
  UPDATE payments p SET
    version = last.version,
    status = last.status,
    captured = last.captured,
    refunded = last.refunded,
    capturing = last.capturing,
    refunding = last.refunding,
    closing = last.closing,
    closed = last.closed,
    voiding = last.voiding,
    voided = last.voided,
    update_time = last.update_time
  FROM (SELECT * FROM input ORDER BY version DESC LIMIT 1) last
  WHERE p.merchant_id = last.merchant_id AND p.id = last.id
    AND p.version = (SELECT min(version) FROM input) - 1
    -- In the snapshot: an action that ends after it changes its payment's version.
    AND (SELECT are_all FROM pending)
  RETURNING p.id
),
updated_actions AS (
  UPDATE actions a SET
    status = i.action_status,
    decline_code = i.decline_code,
    approval_code = i.approval_code,
    update_time = i.update_time,
    due_time = NULL
  FROM input i, done
  WHERE a.merchant_id = i.merchant_id AND a.id = i.action_id
),
stored_replies AS (
  UPDATE idempotency_keys k SET reply = i.reply
  FROM input i, done
  WHERE k.merchant_id = i.merchant_id AND k.rpc = i.type AND k.key = i.key
    AND k.action_id = i.action_id AND i.reply IS NOT NULL
),
stored_events AS (
  INSERT INTO outbox (
    merchant_id, id, payment_id, sequence, type, payload, create_time, commit_order)
  SELECT
    i.merchant_id, i.event_id, i.id, i.version, i.event_type, i.event_payload, i.update_time,
    (SELECT own_commit_order())
  FROM input i, done
)
SELECT EXISTS (SELECT FROM done) AS is_stored, (SELECT are_all FROM pending) AS are_pending

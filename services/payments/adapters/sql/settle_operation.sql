-- Stores a group of captures, voids and refunds that have ended: for each what that did to its payment,
-- the reply under its idempotency key and the event; or nothing of it. Returns those that were stored.
-- The others' payments are not the ones that they were decided on any more, or their action has ended.
--
-- It is `settle.sql` for what leaves the authorization as it is, and writes what can be new then. Read
-- committed: PostgreSQL compares the version once more on a row that somebody else was changing, after
-- waiting for the lock. Payments are updated in one order, so that concurrent groups cannot deadlock.
-- Of several changes to one payment in a group one goes.
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
  ORDER BY merchant_id, id
),
done AS (
  UPDATE payments p SET
    version = i.version,
    status = i.status,
    captured = i.captured,
    refunded = i.refunded,
    capturing = i.capturing,
    refunding = i.refunding,
    closing = i.closing,
    closed = i.closed,
    voiding = i.voiding,
    voided = i.voided,
    update_time = i.update_time
  FROM input i
  WHERE p.merchant_id = i.merchant_id AND p.id = i.id AND p.version = i.version - 1
    -- In the snapshot: an action that ends after it changes its payment's version.
    AND 'PENDING' = (
      SELECT a.status
      FROM actions a
      WHERE a.merchant_id = i.merchant_id AND a.id = i.action_id)
  RETURNING i.*
),
updated_actions AS (
  UPDATE actions a SET
    status = done.action_status,
    decline_code = done.decline_code,
    approval_code = done.approval_code,
    update_time = done.update_time,
    due_time = NULL
  FROM done
  WHERE a.merchant_id = done.merchant_id AND a.id = done.action_id
),
stored_replies AS (
  UPDATE idempotency_keys k SET reply = done.reply
  FROM done
  WHERE k.merchant_id = done.merchant_id AND k.rpc = done.type AND k.key = done.key
    AND k.action_id = done.action_id AND done.reply IS NOT NULL
),
stored_events AS (
  INSERT INTO outbox (
    merchant_id, id, payment_id, sequence, type, payload, create_time, commit_order)
  SELECT
    merchant_id, event_id, id, version, event_type, event_payload, update_time,
    (SELECT own_commit_order())
  FROM done
)
SELECT ord FROM done

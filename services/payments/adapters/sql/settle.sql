-- Stores a group of actions that have ended: for each what that did to its payment, the reply under
-- its idempotency key and the event; or nothing of it. Returns those that were stored. The others'
-- payments are not the ones that they were decided on any more, or their action has ended already.
--
-- It can store any end, and is for those that are rare: `settle_authorize.sql` and
-- `settle_operation.sql` are for the others.
--
-- Read committed. PostgreSQL compares the version once more on a row that somebody else was changing,
-- after waiting for the lock. Payments are updated in one order, so that concurrent groups cannot
-- deadlock. Of several changes to one payment in a group one goes.
WITH input AS MATERIALIZED (
  SELECT *
  FROM unnest(
    $1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[],
    $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[],
    $10::boolean[], $11::boolean[], $12::boolean[], $13::boolean[], $14::boolean[],
    $15::boolean[], $16::boolean[],
    $17::text[], $18::bigint[], $19::timestamptz[],
    $20::text[], $21::text[], $22::text[], $23::text[], $24::text[], $25::bytea[],
    $26::text[], $27::text[],
    $28::text[], $29::text[], $30::bytea[], $31::text[]
  ) WITH ORDINALITY AS i (
    merchant_id, id, version, status, authorization_state,
    captured, refunded, capturing, refunding,
    closing, closed, voiding, voided, reversing, expiring, expired,
    decline_code, last_sequence, update_time,
    action_id, type, action_status, action_decline_code, key, reply,
    second_id, second_status,
    event_id, event_type, event_payload, approval_code,
    ord)
  ORDER BY merchant_id, id
),
done AS (
  UPDATE payments p SET
    version = i.version,
    status = i.status,
    authorization_state = i.authorization_state,
    captured = i.captured,
    refunded = i.refunded,
    capturing = i.capturing,
    refunding = i.refunding,
    closing = i.closing,
    closed = i.closed,
    voiding = i.voiding,
    voided = i.voided,
    reversing = i.reversing,
    expiring = i.expiring,
    expired = i.expired,
    decline_code = i.decline_code,
    last_sequence = i.last_sequence,
    update_time = i.update_time
  FROM input i
  WHERE p.merchant_id = i.merchant_id AND p.id = i.id AND p.version = i.version - 1
    -- In the snapshot: an action that ends after it changes its payment's version.
    AND 'PENDING' = ALL (
      SELECT a.status
      FROM actions a
      WHERE a.merchant_id = i.merchant_id AND a.id IN (i.action_id, i.second_id))
  RETURNING i.*, p.card_token, p.create_time
),
-- A card that an authorization brought with it stays only if that succeeds.
removed_cards_now AS (
  DELETE FROM cards c
  USING done
  WHERE done.status IN ('DECLINED', 'FAILED')
    AND c.merchant_id = done.merchant_id AND c.token = done.card_token
    AND c.create_time = done.create_time
  RETURNING c.merchant_id, c.token, done.update_time
),
noted_cards AS (
  INSERT INTO removed_cards (merchant_id, token, cause, remove_time)
  SELECT merchant_id, token, 'DECLINED', update_time FROM removed_cards_now
),
updated_actions AS (
  UPDATE actions a SET
    status = done.action_status,
    decline_code = done.action_decline_code,
    approval_code = done.approval_code,
    update_time = done.update_time,
    due_time = NULL
  FROM done
  WHERE a.merchant_id = done.merchant_id AND a.id = done.action_id
),
updated_seconds AS (
  UPDATE actions a SET status = done.second_status, update_time = done.update_time, due_time = NULL
  FROM done
  WHERE a.merchant_id = done.merchant_id AND a.id = done.second_id
),
stored_replies AS (
  UPDATE idempotency_keys k SET reply = done.reply
  FROM done
  WHERE done.reply IS NOT NULL
    AND k.merchant_id = done.merchant_id AND k.rpc = done.type AND k.key = done.key
    AND k.action_id = done.action_id
),
stored_events AS (
  INSERT INTO outbox (
    merchant_id, id, payment_id, sequence, type, payload, create_time, commit_order)
  SELECT
    merchant_id, event_id, id, version, event_type, event_payload, update_time,
    (SELECT own_commit_order())
  FROM done
  WHERE event_id IS NOT NULL
)
SELECT ord FROM done

-- Stores a group of authorizations that have ended: for each what that made of its payment, the reply
-- under its idempotency key and the event; or nothing of it. Returns those that were stored. The
-- others' payments have changed since they began (only recovery does that), or the action has ended.
--
-- It is `settle.sql` for payments that nothing was done to yet, and writes what can be new then. Read
-- committed: PostgreSQL compares the version once more on a row that somebody else was changing.
-- Payments are updated in one order, so that concurrent groups cannot deadlock.
WITH input AS MATERIALIZED (
  SELECT *
  FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
    $7::text[], $8::text[], $9::text[], $10::text[], $11::bytea[],
    $12::text[], $13::text[], $14::bytea[]
  ) WITH ORDINALITY AS i (
    merchant_id, id, status, authorization_state, decline_code, update_time,
    action_id, action_status, approval_code, key, reply,
    event_id, event_type, event_payload,
    ord)
  ORDER BY merchant_id, id
),
done AS (
  UPDATE payments p SET
    version = 2,
    status = i.status,
    authorization_state = i.authorization_state,
    decline_code = i.decline_code,
    update_time = i.update_time
  FROM input i
  WHERE p.merchant_id = i.merchant_id AND p.id = i.id AND p.version = 1
    -- In the snapshot: an action that ends after it changes its payment's version.
    AND 'PENDING' = (
      SELECT a.status
      FROM actions a
      WHERE a.merchant_id = i.merchant_id AND a.id = i.action_id)
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
  WHERE k.merchant_id = done.merchant_id AND k.rpc = 'AUTHORIZE' AND k.key = done.key
    AND k.action_id = done.action_id AND done.reply IS NOT NULL
),
stored_events AS (
  INSERT INTO outbox (
    merchant_id, id, payment_id, sequence, type, payload, create_time, commit_order)
  SELECT
    merchant_id, event_id, id, 2, event_type, event_payload, update_time,
    (SELECT own_commit_order())
  FROM done
)
SELECT ord FROM done

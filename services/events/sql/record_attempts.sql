-- Records what became of attempts.
--
-- An attempt whose lease ($4) is not the delivery's any more is not recorded: it was claimed anew,
-- or the merchant has asked for it once more. What is behind in the stream becomes due with the
-- retry, or at once when the stream goes on. `gone`: the endpoint wants no more events, ever.
--
-- Each that posted something is kept, the last 50 of a delivery: what comes takes the place of one.
--
-- Pending is what has a due time: said so, no index of pending ones is taken for the primary key's.
WITH RECURSIVE input AS MATERIALIZED (
  SELECT
    i.*,
    coalesce((SELECT c.ahead FROM sandbox_clocks c WHERE c.merchant_id = i.merchant_id), interval '0') AS ahead
  FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::bigint[], $7::text[],
    $8::interval[], $9::boolean[], $10::timestamptz[], $11::interval[], $12::text[]
  ) AS i (
    merchant_id, endpoint_id, event_id, lease_time, status, status_code, error,
    delay, gone, begin_time, duration, reply)
),
recorded AS (
  UPDATE webhook_deliveries d SET
    status = i.status,
    attempts = d.attempts + 1,
    attempts_in_all = d.attempts_in_all + 1,
    due_time = clock_timestamp() + i.ahead + i.delay,
    lease_time = NULL,
    last_attempt_time = clock_timestamp() + i.ahead,
    last_status_code = i.status_code,
    last_error = i.error
  FROM input i
  WHERE d.merchant_id = i.merchant_id
    AND d.endpoint_id = i.endpoint_id
    AND d.event_id = i.event_id
    AND d.due_time IS NOT NULL
    AND d.lease_time = i.lease_time
  RETURNING
    d.merchant_id, d.endpoint_id, d.payment_id, d.sequence, d.due_time, i.gone,
    d.event_id, d.attempts_in_all, i.ahead, i.begin_time, i.duration, i.status_code, i.error, i.reply
),
kept AS (
  INSERT INTO webhook_attempts
    (merchant_id, endpoint_id, event_id, number, create_time, duration, status_code, error, reply)
  SELECT
    merchant_id, endpoint_id, event_id, attempts_in_all,
    begin_time + ahead, duration, status_code, error, reply
  FROM recorded
  WHERE begin_time IS NOT NULL
  -- There is none. If there were, nobody's attempts could be recorded, for want of this one.
  ON CONFLICT DO NOTHING
),
forgotten AS (
  DELETE FROM webhook_attempts a
  USING recorded r
  WHERE r.attempts_in_all > 50
    AND a.merchant_id = r.merchant_id
    AND a.endpoint_id = r.endpoint_id
    AND a.event_id = r.event_id
    AND a.number = r.attempts_in_all - 50
),
behind AS (
  -- One look into the index for each that is behind in the stream.
  SELECT
    merchant_id, endpoint_id, payment_id, sequence,
    NULL::text COLLATE "C" AS event_id, due_time AS head_due_time, ahead
  FROM recorded
  UNION ALL
  SELECT
    b.merchant_id, b.endpoint_id, b.payment_id, next.sequence, next.event_id, b.head_due_time,
    b.ahead
  FROM behind b
  CROSS JOIN LATERAL (
    SELECT d.sequence, d.event_id
    FROM webhook_deliveries d
    WHERE (d.merchant_id, d.endpoint_id, d.payment_id, d.sequence)
        > (b.merchant_id, b.endpoint_id, b.payment_id, b.sequence)
      AND (d.merchant_id, d.endpoint_id, d.payment_id, d.sequence)
        <= (b.merchant_id, b.endpoint_id, b.payment_id, 9223372036854775807)
      AND d.status = 'PENDING'
    ORDER BY d.merchant_id, d.endpoint_id, d.payment_id, d.sequence
    LIMIT 1) next
),
followed AS (
  UPDATE webhook_deliveries d SET
    due_time = CASE
      WHEN b.head_due_time IS NULL THEN least(d.due_time, clock_timestamp() + b.ahead)
      ELSE greatest(d.due_time, b.head_due_time)
    END
  FROM behind b
  WHERE d.merchant_id = b.merchant_id
    AND d.endpoint_id = b.endpoint_id
    AND d.event_id = b.event_id
    AND CASE
      WHEN b.head_due_time IS NULL THEN d.due_time > clock_timestamp() + b.ahead
      ELSE d.due_time < b.head_due_time
    END
),
disabled AS (
  UPDATE webhook_endpoints e SET status = 'DISABLED', update_time = clock_timestamp() + r.ahead
  FROM (SELECT DISTINCT merchant_id, endpoint_id, ahead FROM recorded WHERE gone) r
  WHERE e.merchant_id = r.merchant_id AND e.id = r.endpoint_id AND e.status = 'ENABLED'
)
SELECT count(*) FROM recorded

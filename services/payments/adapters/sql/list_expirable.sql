-- Payments that are past their time, still hold money, and have no action in flight: $1 at most. Past the
-- real time, the longest first; and of each merchant whose clock is ahead, among its $1 oldest of
-- either status if the first has expired by it. Merchants take turns, and chance decides who is first.
-- Shards: each, at most $1.
WITH by_real_time AS (
  SELECT merchant_id, id, expire_time
  FROM payments
  WHERE status IN ('AUTHORIZED', 'PARTIALLY_CAPTURED')
    AND expire_time <= (SELECT clock_timestamp()) -- a value, by which the index is searched
    AND NOT (expiring OR voiding OR closing OR capturing > 0 OR refunding > 0)
  ORDER BY expire_time
  LIMIT $1
),
by_their_clocks AS (
  SELECT c.merchant_id, first.id, first.expire_time
  FROM sandbox_clocks c
  CROSS JOIN (VALUES ('AUTHORIZED'), ('PARTIALLY_CAPTURED')) AS s (status)
  CROSS JOIN LATERAL (
    SELECT id, expire_time, expiring, voiding, closing, capturing, refunding
    FROM payments p
    WHERE p.merchant_id = c.merchant_id AND p.status = s.status AND p.commit_order >= -1
      AND (SELECT clock_timestamp()) + c.ahead >= (
        SELECT h.expire_time
        FROM payments h
        WHERE h.merchant_id = c.merchant_id AND h.status = s.status AND h.commit_order >= -1
        ORDER BY h.commit_order, h.id
        LIMIT 1)
    ORDER BY p.commit_order, p.id
    LIMIT $1
  ) first
  WHERE c.ahead > interval '0'
    AND first.expire_time > (SELECT clock_timestamp())
    AND first.expire_time <= (SELECT clock_timestamp()) + c.ahead
    AND NOT (
      first.expiring OR first.voiding OR first.closing OR first.capturing > 0 OR first.refunding > 0)
),
due AS (
  SELECT
    merchant_id, id,
    row_number() OVER (PARTITION BY merchant_id ORDER BY expire_time) AS turn
  FROM (SELECT * FROM by_real_time UNION ALL SELECT * FROM by_their_clocks) found
)
SELECT merchant_id, id FROM due ORDER BY turn, random() LIMIT $1

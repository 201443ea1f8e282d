-- How many actions nobody has settled, those counted that are due the soonest, and the age of the
-- oldest of them by its merchant's clock.
-- Shards: each.
SELECT
  count(*) AS count,
  greatest(
    coalesce(
      extract(epoch FROM max(clock_timestamp() + coalesce(c.ahead, interval '0') - create_time)), 0),
    0)::float8 AS age_seconds
FROM (
  SELECT merchant_id, create_time FROM actions WHERE status = 'PENDING' ORDER BY due_time LIMIT 10000
) pending
LEFT JOIN sandbox_clocks c ON c.merchant_id = pending.merchant_id

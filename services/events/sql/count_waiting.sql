-- How many events wait for their deliveries, and how many for the bus, up to a bound, with the age of
-- the oldest of those counted. Streams are in no order of age, so beyond the bound the age is a guess.
-- Shards: each.
SELECT
  'unrelayed' AS state,
  count(*) AS count,
  greatest(coalesce(extract(epoch FROM max(age)), 0), 0)::float8 AS age_seconds
FROM (
  SELECT clock_timestamp() + coalesce(c.ahead, interval '0') - o.create_time AS age
  FROM (
    SELECT merchant_id, create_time FROM outbox WHERE relay_time IS NULL LIMIT 10000
  ) o
  LEFT JOIN sandbox_clocks c ON c.merchant_id = o.merchant_id
) unrelayed
UNION ALL
SELECT
  'unpublished',
  count(*),
  greatest(coalesce(extract(epoch FROM max(age)), 0), 0)::float8
FROM (
  SELECT clock_timestamp() + coalesce(c.ahead, interval '0') - o.create_time AS age
  FROM (
    SELECT merchant_id, create_time FROM outbox WHERE publish_time IS NULL LIMIT 10000
  ) o
  LEFT JOIN sandbox_clocks c ON c.merchant_id = o.merchant_id
) unpublished

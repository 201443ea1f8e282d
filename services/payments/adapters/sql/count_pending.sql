-- How many actions nobody has settled, those counted that are due the soonest, and the age of the
-- oldest of them by the gateway's clock.
SELECT
  count(*) AS count,
  greatest(coalesce(extract(epoch FROM gateway_now() - min(create_time)), 0), 0)::float8 AS age_seconds
FROM (
  SELECT create_time FROM actions WHERE status = 'PENDING' ORDER BY due_time LIMIT 10000
) pending

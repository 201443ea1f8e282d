-- Notes that listener $3 asks for what goes to an endpoint, if its URL begins with $6; with $4 it takes the
-- place of any other.
--
-- `url` is the endpoint's, NULL if there is none. `listening`: whether the place is its own.
-- `was_away`: nobody has asked within $5, so that attempts may have failed for want of a listener.
WITH endpoint AS (
  SELECT url
  FROM webhook_endpoints
  WHERE merchant_id = $1 AND id = $2
),
before AS MATERIALIZED (
  SELECT seen_time
  FROM listeners
  WHERE merchant_id = $1 AND endpoint_id = $2
),
noted AS (
  INSERT INTO listeners AS l (merchant_id, endpoint_id, listener, seen_time)
  SELECT $1, $2, $3, clock_timestamp()
  FROM endpoint
  WHERE starts_with(url, $6)
  ON CONFLICT (merchant_id, endpoint_id) DO UPDATE SET
    listener = EXCLUDED.listener, seen_time = EXCLUDED.seen_time
  WHERE l.listener = EXCLUDED.listener OR $4
  RETURNING listener
)
SELECT
  (SELECT url FROM endpoint) AS url,
  EXISTS (SELECT FROM noted) AS listening,
  NOT EXISTS (SELECT FROM before WHERE seen_time > clock_timestamp() - $5::interval) AS was_away

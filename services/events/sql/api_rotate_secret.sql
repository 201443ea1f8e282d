-- Adds the newest secret of an endpoint, which must be locked. Older ones sign on for $5 at most, in
-- real time, so that no turn of the sandbox's clock can end it; so many stay that $6 sign in all.
WITH older AS MATERIALIZED (
  SELECT id, expire_time, row_number() OVER (ORDER BY create_time DESC, id DESC) AS age
  FROM webhook_secrets
  WHERE merchant_id = $1
    AND endpoint_id = $2
    AND (expire_time IS NULL OR expire_time > clock_timestamp())
),
kept AS (
  UPDATE webhook_secrets s SET
    expire_time = least(s.expire_time, clock_timestamp() + $5::interval)
  FROM older o
  WHERE s.merchant_id = $1
    AND s.endpoint_id = $2
    AND s.id = o.id
    AND o.age < $6::bigint
  RETURNING s.id
),
removed AS (
  DELETE FROM webhook_secrets s
  WHERE s.merchant_id = $1
    AND s.endpoint_id = $2
    AND NOT EXISTS (SELECT FROM older o WHERE o.id = s.id AND o.age < $6::bigint)
)
-- Counts what is kept, so that the one without an end has got one before the next is added.
INSERT INTO webhook_secrets (merchant_id, endpoint_id, id, ciphertext, create_time)
SELECT $1, $2, $3, $4, clock_timestamp()
FROM (SELECT count(*) AS count FROM kept) done
WHERE done.count >= 0

-- Removes an endpoint and its secrets. Its pending deliveries: see fail_unwanted.sql.
WITH gone AS (
  DELETE FROM webhook_endpoints WHERE merchant_id = $1 AND id = $2 RETURNING *
),
secrets AS (
  DELETE FROM webhook_secrets s
  USING gone
  WHERE s.merchant_id = gone.merchant_id AND s.endpoint_id = gone.id
)
SELECT * FROM gone

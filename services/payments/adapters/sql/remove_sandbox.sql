-- Removes a merchant that is a sandbox, when all that it made is gone.
WITH clock AS (DELETE FROM sandbox_clocks WHERE merchant_id = $1),
vault AS (DELETE FROM data_keys WHERE merchant_id = $1),
keys AS (DELETE FROM api_keys WHERE merchant_id = $1),
merchant AS (DELETE FROM merchants WHERE id = $1)
DELETE FROM sandboxes WHERE merchant_id = $1

-- What is stored of an API key. Ids of keys are random and unique enough that no two merchants share
-- one.
SELECT
  k.merchant_id, k.digest, k.scopes, k.expire_time,
  k.revoke_time IS NOT NULL OR m.disable_time IS NOT NULL AS is_ended
FROM api_keys k
JOIN merchants m ON m.id = k.merchant_id
WHERE k.id = $1

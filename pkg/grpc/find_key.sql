-- What is stored of an API key. Ids of keys are random and unique enough that no two merchants share
-- one. A sandbox's ends with its owner's.
-- Shards: any.
SELECT
  k.merchant_id, k.digest, k.scopes, k.expire_time,
  k.revoke_time IS NOT NULL
  OR m.disable_time IS NOT NULL
  OR EXISTS (
    SELECT FROM sandboxes s
    JOIN merchants o ON o.id = s.owner_id
    WHERE s.merchant_id = k.merchant_id AND o.disable_time IS NOT NULL) AS is_ended
FROM api_keys k
JOIN merchants m ON m.id = k.merchant_id
WHERE k.id = $1

-- Takes the slots back that keys hold which have ended by themselves.
UPDATE api_keys SET slot = NULL
WHERE merchant_id = $1 AND slot IS NOT NULL
  AND (revoke_time IS NOT NULL OR expire_time <= now())

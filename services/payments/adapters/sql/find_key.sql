-- An API key by its id; ids are random and unique enough that no two merchants share one.
SELECT merchant_id, digest, revoke_time FROM api_keys WHERE id = $1

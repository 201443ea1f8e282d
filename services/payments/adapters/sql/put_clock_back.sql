-- Puts a merchant's clock back for every process: to the real time, or where a sandbox's has begun.
UPDATE sandbox_clocks c SET ahead = first.ahead, turns = c.turns + 1
FROM (
  SELECT coalesce((SELECT ahead FROM sandboxes WHERE merchant_id = $1), interval '0') AS ahead
) first
WHERE c.merchant_id = $1 AND c.ahead <> first.ahead

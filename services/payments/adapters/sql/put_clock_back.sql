-- Puts a merchant's clock back to the real time, for every process.
UPDATE sandbox_clocks SET ahead = interval '0', turns = turns + 1
WHERE merchant_id = $1 AND ahead > interval '0'

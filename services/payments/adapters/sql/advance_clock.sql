-- Turns a merchant's clock forward, for every process; no row if it would be too far ahead. What is too old
-- by then is looked for at once.
INSERT INTO sandbox_clocks AS c (merchant_id, ahead) VALUES ($1, $2)
ON CONFLICT (merchant_id) DO UPDATE SET
  ahead = c.ahead + EXCLUDED.ahead, turns = c.turns + 1, visit_time = '-infinity'
WHERE c.ahead + EXCLUDED.ahead <= $3::interval
RETURNING ahead

-- Turns the clock of the sandbox forward, for every process; no row if it would be too far ahead.
INSERT INTO sandbox_clock (ahead) VALUES ($1)
ON CONFLICT (singleton) DO UPDATE SET
  ahead = sandbox_clock.ahead + EXCLUDED.ahead, turns = sandbox_clock.turns + 1
WHERE sandbox_clock.ahead + EXCLUDED.ahead <= $2::interval
RETURNING ahead

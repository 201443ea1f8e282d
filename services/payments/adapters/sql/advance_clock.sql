-- Turns the clock of the sandbox forward, for every process.
INSERT INTO sandbox_clock (ahead) VALUES ($1)
ON CONFLICT (singleton) DO UPDATE SET ahead = sandbox_clock.ahead + EXCLUDED.ahead
RETURNING ahead

-- A merchant's clock: how often it was turned, and how many microseconds it is ahead of the real time.
SELECT (SELECT reading FROM sandbox_clocks WHERE merchant_id = $1) AS clock

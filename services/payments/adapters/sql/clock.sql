-- The sandbox's clock: how often it was turned, and how many microseconds it is ahead of the real time.
SELECT (SELECT reading FROM sandbox_clock) AS clock

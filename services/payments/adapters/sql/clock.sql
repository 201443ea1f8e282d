-- How far the clock of the sandbox is ahead of the real time.
SELECT (SELECT reading FROM sandbox_clock) AS clock

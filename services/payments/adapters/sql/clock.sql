-- How far the clock of the sandbox is ahead of the real time.
SELECT (SELECT ahead FROM sandbox_clock) AS clock_ahead

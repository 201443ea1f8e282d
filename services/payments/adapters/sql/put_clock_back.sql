-- Puts the clock of the sandbox back to the real time, for every process. Deliveries that wait for a
-- retry wait for as long as they would have; what clients were told, such as when a payment expires,
-- stays as it is.
WITH before AS MATERIALIZED (
  SELECT ahead FROM sandbox_clock WHERE ahead > interval '0' FOR UPDATE
),
put_back AS (
  UPDATE sandbox_clock SET ahead = interval '0', turns = turns + 1
  WHERE EXISTS (SELECT FROM before)
)
UPDATE webhook_deliveries d SET due_time = d.due_time - before.ahead
FROM before
WHERE d.status = 'PENDING' AND d.due_time > clock_timestamp()

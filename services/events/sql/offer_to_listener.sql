-- Puts a message ($3 to $7) there for the listener of an endpoint, if one was seen within $8. Nothing is
-- returned if none was. What a relay that died has left there goes.
WITH old AS (
  DELETE FROM listener_messages
  WHERE merchant_id = $1
    AND endpoint_id = $2
    AND create_time < clock_timestamp() - interval '1 minute'
)
INSERT INTO listener_messages
  (merchant_id, endpoint_id, id, event_id, attempt, headers, body, create_time)
SELECT merchant_id, endpoint_id, $3, $4, $5, $6, $7, clock_timestamp()
FROM listeners
WHERE merchant_id = $1
  AND endpoint_id = $2
  AND seen_time > clock_timestamp() - $8::interval
RETURNING id

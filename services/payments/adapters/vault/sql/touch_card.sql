-- Notes that a card is used: once a day, so that most uses write nothing.
UPDATE cards SET use_time = greatest(use_time, gateway_now($1))
WHERE merchant_id = $1 AND token = $2

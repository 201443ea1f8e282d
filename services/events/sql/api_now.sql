-- The time by the gateway's clock; the same for every merchant $1.
SELECT gateway_now() WHERE $1::text IS NOT NULL

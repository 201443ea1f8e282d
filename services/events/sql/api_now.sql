-- The time by a merchant's clock.
SELECT gateway_now($1)

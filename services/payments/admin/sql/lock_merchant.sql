-- Holds a merchant, so that its live keys are counted by one at a time.
SELECT id FROM merchants WHERE id = $1 FOR NO KEY UPDATE

-- Holds a merchant, so that what it may have only so many of is counted by one at a time.
SELECT FROM merchants WHERE id = $1 FOR NO KEY UPDATE

-- One merchant.
SELECT * FROM merchants WHERE id = $1

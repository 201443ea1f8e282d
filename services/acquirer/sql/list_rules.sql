-- A merchant's rules in the order in which they were made.
SELECT * FROM rules WHERE merchant_id = $1 ORDER BY place;

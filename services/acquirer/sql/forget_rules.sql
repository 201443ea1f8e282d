-- Removes a merchant's rules, and for what they were used.
WITH uses AS (DELETE FROM rule_uses WHERE merchant_id = $1)

DELETE FROM rules WHERE merchant_id = $1;

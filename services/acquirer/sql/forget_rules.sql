-- Removes a merchant's rules, for what they were used, and under which keys they were made.
WITH uses AS (DELETE FROM rule_uses WHERE merchant_id = $1),

keys AS (DELETE FROM rule_keys WHERE merchant_id = $1)

DELETE FROM rules WHERE merchant_id = $1;

-- Whether a merchant ever had a rule.
SELECT EXISTS(SELECT FROM rule_books WHERE merchant_id = $1) AS has_one;

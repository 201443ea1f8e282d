-- Forgets merchants without rules whose last change is 10,000 changes ago: every process has seen it, or
-- finds in the database that a rule is gone.
DELETE FROM rule_books
WHERE merchant_id IN (
    SELECT b.merchant_id
    FROM rule_books AS b
    WHERE
        b.version < (SELECT version - 10000 FROM rules_version)
        AND NOT EXISTS (SELECT FROM rules AS r WHERE r.merchant_id = b.merchant_id)
    ORDER BY b.version
    LIMIT 100
);

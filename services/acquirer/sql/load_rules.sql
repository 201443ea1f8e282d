-- All rules of merchants whose rules were changed since the version $1, in the order in which they were
-- made; of a merchant without rules one row that is NULL but for whose it is. With the version now.
SELECT
    v.version AS rules_version,
    b.merchant_id AS owner,
    r.*
FROM rules_version AS v
LEFT JOIN rule_books AS b ON b.version > $1
LEFT JOIN rules AS r ON r.merchant_id = b.merchant_id
ORDER BY b.merchant_id, r.place;

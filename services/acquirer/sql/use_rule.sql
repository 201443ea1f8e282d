-- Uses the rule $1 of the merchant $2 for the operation $3; no row if it is gone, or was used as often as
-- it may be. Whoever uses the same rule waits for the end of this transaction.
WITH used AS (
    UPDATE rules SET hits = hits + 1
    WHERE id = $1 AND merchant_id = $2 AND (times IS NULL OR hits < times)
    RETURNING id
)

INSERT INTO rule_uses (reference, merchant_id, rule_id)
SELECT $3, $2, used.id FROM used
RETURNING rule_id;

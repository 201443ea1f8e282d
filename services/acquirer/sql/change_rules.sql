-- Begins a change of a merchant's rules: whoever changes any waits for the end of this transaction.
WITH next AS (
    UPDATE rules_version SET version = version + 1 RETURNING version
)

INSERT INTO rule_books (merchant_id, version)
SELECT $1, next.version FROM next
ON CONFLICT (merchant_id) DO UPDATE SET version = excluded.version;

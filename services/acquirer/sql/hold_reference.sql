-- Waits until nobody else decides about an operation by rules, until the end of this transaction.
SELECT pg_advisory_xact_lock(hashtextextended($1, 0));

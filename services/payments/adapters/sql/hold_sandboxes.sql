-- Holds what a merchant has of sandboxes until the transaction ends, so that one at a time counts them.
SELECT pg_advisory_xact_lock(hashtextextended('sandboxes of ' || $1, 0))

-- Holds an idempotency key until the transaction ends; false when a twin holds it.
SELECT pg_try_advisory_xact_lock($1)

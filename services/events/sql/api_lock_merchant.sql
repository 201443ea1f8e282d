-- Holds a merchant, so that what it may have only so many of is counted by one at a time. Not its row, to
-- lock which takes the right to change it.
SELECT pg_advisory_xact_lock(hashtextextended('webhook endpoints of ' || $1, 0))

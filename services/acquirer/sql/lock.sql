-- Waits until this transaction alone may change the authorization. Reading it is left to the next
-- statement: this one's snapshot is as old as the wait.
SELECT reference FROM authorizations WHERE reference = $1 FOR NO KEY UPDATE;

-- Forgets references that the bank has removed.
-- Shards: each.
DELETE FROM bank_leftovers WHERE reference = ANY($1::text[])

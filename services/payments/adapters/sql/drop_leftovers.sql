-- Forgets references that the bank has removed.
DELETE FROM bank_leftovers WHERE reference = ANY($1::text[])

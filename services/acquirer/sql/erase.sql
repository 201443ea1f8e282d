-- Removes operations from the book, and what rules were used for them.
WITH uses AS (DELETE FROM rule_uses WHERE reference = ANY($1::text [])),

done AS (DELETE FROM operations WHERE reference = ANY($1::text []))

DELETE FROM authorizations WHERE reference = ANY($1::text []);

-- What the operator says became of an action that the bank says nothing about; recovery ends it so.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE actions ADD COLUMN resolution text;
ALTER TABLE actions ADD CONSTRAINT resolved_as_an_end CHECK (
  resolution IN ('SUCCEEDED', 'FAILED')) NOT VALID;

-- The operator sees what is in doubt and nothing else of any payment, says how it is to end, and has
-- recovery look at it at once.
GRANT SELECT (merchant_id, id, payment_id, type, status, resolution, create_time, due_time)
ON actions TO paygate_admin;
GRANT UPDATE (resolution, due_time) ON actions TO paygate_admin;
GRANT SELECT ON sandbox_clock TO paygate_admin;
CREATE POLICY in_doubt ON actions TO paygate_admin USING (status = 'PENDING');

-- migrate:down

DROP POLICY in_doubt ON actions;
REVOKE ALL ON actions FROM paygate_admin;
REVOKE SELECT ON sandbox_clock FROM paygate_admin;
ALTER TABLE actions DROP COLUMN resolution;

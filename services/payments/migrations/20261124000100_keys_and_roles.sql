-- What an API key may be used for and when it ends; merchants that are disabled; and roles of the
-- database for three more parts of the gateway.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE merchants ADD COLUMN disable_time timestamptz;

-- `slot`: a live key holds one of the two that its merchant has; see the index on it. A key that has
-- ended gives it back. `expire_time` is in real time.
ALTER TABLE api_keys
  ADD COLUMN name text NOT NULL DEFAULT '',
  ADD COLUMN scopes text[] NOT NULL DEFAULT '{payments,webhooks}',
  ADD COLUMN expire_time timestamptz,
  ADD COLUMN slot smallint;
ALTER TABLE api_keys
  ADD CONSTRAINT named_shortly CHECK (length(name) <= 255) NOT VALID,
  ADD CONSTRAINT scopes_are_known CHECK (
    cardinality(scopes) > 0 AND scopes <@ '{payments,read_only,webhooks}') NOT VALID,
  ADD CONSTRAINT two_slots CHECK (slot BETWEEN 1 AND 2) NOT VALID;

-- Of keys that are there already the two newest get a slot. Others work on: an update ends nobody's key.
UPDATE api_keys k SET slot = held.slot
FROM (
  SELECT merchant_id, id, row_number() OVER (
    PARTITION BY merchant_id ORDER BY create_time DESC, id) AS slot
  FROM api_keys
  WHERE revoke_time IS NULL
) held
WHERE held.slot <= 2 AND k.merchant_id = held.merchant_id AND k.id = held.id;

DO $$
DECLARE
  wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['paygate_reader', 'paygate_webhooks', 'paygate_admin']
  LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
      EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
    END IF;
  END LOOP;
END
$$;

GRANT USAGE ON SCHEMA public TO paygate_reader, paygate_webhooks, paygate_admin;

-- A key works while its merchant is enabled.
GRANT SELECT ON merchants TO paygate_gateway;

GRANT SELECT ON payments, actions, sandbox_clock TO paygate_reader;

-- The API of webhooks, which shared a role with the relay; that keeps its grants, so that both may
-- be of the version before.
GRANT SELECT ON outbox, api_keys, sandbox_clock TO paygate_webhooks;
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_endpoints, webhook_secrets TO paygate_webhooks;
GRANT SELECT, INSERT, UPDATE ON webhook_deliveries TO paygate_webhooks;
GRANT SELECT, UPDATE (id) ON merchants TO paygate_webhooks;

-- Digests are written and never read here, and nothing is removed.
GRANT SELECT, INSERT, UPDATE (disable_time) ON merchants TO paygate_admin;
GRANT SELECT (merchant_id, id, name, scopes, slot, create_time, expire_time, revoke_time)
ON api_keys TO paygate_admin;
GRANT INSERT, UPDATE (slot, expire_time, revoke_time) ON api_keys TO paygate_admin;

-- migrate:down

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM paygate_reader, paygate_webhooks, paygate_admin;
REVOKE USAGE ON SCHEMA public FROM paygate_reader, paygate_webhooks, paygate_admin;
REVOKE SELECT ON merchants FROM paygate_gateway;
ALTER TABLE api_keys
  DROP COLUMN name, DROP COLUMN scopes, DROP COLUMN expire_time, DROP COLUMN slot;
ALTER TABLE merchants DROP COLUMN disable_time;

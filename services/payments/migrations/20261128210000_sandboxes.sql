-- squawk-ignore-file ban-drop-constraint -- the new one allows more
-- Sandboxes: merchants for one test each, which end by themselves.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- Empty in production. Times are real ones. `ahead`: of the real time, where the sandbox's clock began.
-- `remove_time`: when its rows are to be removed, this one last; whoever does so puts it off meanwhile.
CREATE TABLE sandboxes (
  owner_id    text COLLATE "C" NOT NULL,
  merchant_id text COLLATE "C" NOT NULL UNIQUE,
  name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 255),
  create_time timestamptz NOT NULL,
  expire_time timestamptz NOT NULL,
  remove_time timestamptz NOT NULL CHECK (remove_time >= expire_time),
  ahead       interval NOT NULL CHECK (ahead >= interval '0'),
  PRIMARY KEY (owner_id, merchant_id)
);

CREATE INDEX sandboxes_by_end ON sandboxes (remove_time);

-- What is still to be removed from the book of the sandbox's bank, and when: a reset does not wait for that.
CREATE TABLE bank_leftovers (
  reference   text COLLATE "C" PRIMARY KEY,
  remove_time timestamptz NOT NULL
);

CREATE INDEX bank_leftovers_by_time ON bank_leftovers (remove_time);

-- A key may be one that makes sandboxes. Those that there are stay as they are.
ALTER TABLE api_keys DROP CONSTRAINT scopes_are_known;
ALTER TABLE api_keys ADD CONSTRAINT scopes_are_known CHECK (
  cardinality(scopes) > 0 AND scopes <@ '{payments,read_only,webhooks,sandboxes}') NOT VALID;

-- A sandbox's key works while its owner is enabled.
GRANT SELECT (owner_id, merchant_id) ON sandboxes TO paygate_gateway, paygate_events, paygate_webhooks;
GRANT SELECT, INSERT, UPDATE (expire_time, remove_time), DELETE ON sandboxes TO paygate_sandbox;
GRANT SELECT, INSERT, UPDATE (remove_time), DELETE ON bank_leftovers TO paygate_sandbox;
GRANT DELETE ON sandbox_clocks TO paygate_sandbox;
GRANT SELECT (id), INSERT, DELETE ON merchants TO paygate_sandbox;
GRANT SELECT (merchant_id, revoke_time), INSERT, UPDATE (revoke_time, slot), DELETE
ON api_keys TO paygate_sandbox;
GRANT SELECT (merchant_id), DELETE ON data_keys TO paygate_sandbox;
GRANT SELECT (token) ON removed_cards TO paygate_sandbox;

ALTER TABLE sandboxes ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON sandboxes
TO paygate_gateway, paygate_events, paygate_webhooks, paygate_sandbox USING (true);

-- The sandbox's role makes merchants and keys; it sees, ends and removes those of sandboxes only.
ALTER TABLE merchants ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON merchants
TO paygate_gateway, paygate_events, paygate_webhooks, paygate_admin USING (true);
CREATE POLICY made ON merchants FOR INSERT TO paygate_sandbox WITH CHECK (true);
CREATE POLICY sandboxes ON merchants TO paygate_sandbox
USING (EXISTS (SELECT FROM sandboxes s WHERE s.merchant_id = merchants.id));
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON api_keys
TO paygate_gateway, paygate_events, paygate_webhooks, paygate_admin USING (true);
CREATE POLICY made ON api_keys FOR INSERT TO paygate_sandbox WITH CHECK (true);
CREATE POLICY sandboxes ON api_keys TO paygate_sandbox
USING (EXISTS (SELECT FROM sandboxes s WHERE s.merchant_id = api_keys.merchant_id));
ALTER TABLE data_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON data_keys TO paygate_vault USING (true);
CREATE POLICY sandboxes ON data_keys TO paygate_sandbox
USING (EXISTS (SELECT FROM sandboxes s WHERE s.merchant_id = data_keys.merchant_id));

-- migrate:down

DROP POLICY sandboxes ON data_keys;
DROP POLICY everybody ON data_keys;
ALTER TABLE data_keys DISABLE ROW LEVEL SECURITY;
DROP POLICY sandboxes ON api_keys;
DROP POLICY made ON api_keys;
DROP POLICY everybody ON api_keys;
ALTER TABLE api_keys DISABLE ROW LEVEL SECURITY;
DROP POLICY sandboxes ON merchants;
DROP POLICY made ON merchants;
DROP POLICY everybody ON merchants;
ALTER TABLE merchants DISABLE ROW LEVEL SECURITY;
REVOKE SELECT (token) ON removed_cards FROM paygate_sandbox;
REVOKE SELECT (merchant_id), DELETE ON data_keys FROM paygate_sandbox;
REVOKE SELECT (merchant_id, revoke_time), INSERT, UPDATE (revoke_time, slot), DELETE
ON api_keys FROM paygate_sandbox;
REVOKE SELECT (id), INSERT, DELETE ON merchants FROM paygate_sandbox;
REVOKE DELETE ON sandbox_clocks FROM paygate_sandbox;
DROP TABLE bank_leftovers;
DROP TABLE sandboxes;

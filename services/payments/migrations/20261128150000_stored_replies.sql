-- Replies to requests that make, rotate or move something but payments, under their idempotency keys:
-- each is written by the transaction of what it tells.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- `merchant_id` is empty for the operator. `sealed` is the serialised reply, encrypted (AES-256-GCM,
-- bound to the first three columns): it may tell a signing secret or an API key.
CREATE TABLE stored_replies (
  merchant_id text COLLATE "C" NOT NULL,
  rpc         text COLLATE "C" NOT NULL,
  key         text COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
  fingerprint bytea NOT NULL,
  sealed      bytea NOT NULL,
  create_time timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, rpc, key)
);
CREATE INDEX stored_replies_by_age ON stored_replies (create_time);

GRANT SELECT, INSERT ON stored_replies TO paygate_webhooks, paygate_admin;
GRANT SELECT, INSERT, DELETE ON stored_replies TO paygate_sandbox;
-- Removes what is old, and reads no reply.
GRANT SELECT (merchant_id, rpc, key, create_time), DELETE ON stored_replies TO paygate_gateway;

ALTER TABLE stored_replies ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON stored_replies TO paygate_webhooks
USING (merchant_id = current_setting('paygate.merchant_id', true));
CREATE POLICY operators ON stored_replies TO paygate_admin USING (merchant_id = '');
CREATE POLICY everybody ON stored_replies TO paygate_gateway, paygate_sandbox USING (true);

-- migrate:down

DROP TABLE stored_replies;

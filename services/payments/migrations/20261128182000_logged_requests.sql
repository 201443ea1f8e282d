-- The developers' request log of the sandbox: a merchant's last calls, without cards and keys. Production
-- writes nothing into it.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- UNLOGGED: a crash of the database empties it, and no commit waits for a disk or a standby for its sake.
-- `began` is when a call began, in microseconds since 1970; `id` is its request id, which a client may
-- choose. `request` and `reply` are serialised messages, NULL where there is none or it is too large;
-- `reply` is a google.rpc.Status if there is a `reason`. `…_bytes` are their sizes before anything was hidden.
CREATE UNLOGGED TABLE logged_requests (
  merchant_id     text COLLATE "C" NOT NULL,
  began           bigint NOT NULL,
  id              text COLLATE "C" NOT NULL,
  service         text NOT NULL,
  method          text NOT NULL,
  code            text NOT NULL,
  reason          text NOT NULL,
  microseconds    bigint NOT NULL,
  idempotency_key text NOT NULL,
  replayed        boolean NOT NULL,
  payment_id      text NOT NULL,
  key_id          text NOT NULL,
  rest            boolean NOT NULL,
  request         bytea,
  request_bytes   bigint NOT NULL,
  reply           bytea,
  reply_bytes     bigint NOT NULL,
  PRIMARY KEY (merchant_id, began, id)
);

-- Each worker writes the calls that it answered, and removes those that are too many. To skip a locked row
-- takes UPDATE on a column.
GRANT INSERT, DELETE, SELECT (merchant_id, began, id), UPDATE (id)
ON logged_requests TO paygate_gateway, paygate_webhooks;
GRANT SELECT ON logged_requests TO paygate_reader, paygate_gateway;
GRANT DELETE, SELECT (merchant_id) ON logged_requests TO paygate_sandbox;

ALTER TABLE logged_requests ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON logged_requests TO paygate_reader, paygate_gateway, paygate_webhooks
USING (merchant_id = current_setting('paygate.merchant_id', true));
-- One statement writes the calls of many merchants.
CREATE POLICY writing ON logged_requests FOR INSERT TO paygate_gateway, paygate_webhooks
WITH CHECK (true);
CREATE POLICY everybody ON logged_requests TO paygate_sandbox USING (true);

-- migrate:down

DROP TABLE logged_requests;

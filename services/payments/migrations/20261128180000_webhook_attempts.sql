-- What became of each attempt to deliver an event, the last 50 of a delivery.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- `attempts` begins again when an event is redelivered. This goes on, and numbers the attempts.
ALTER TABLE webhook_deliveries ADD COLUMN attempts_in_all bigint NOT NULL DEFAULT 0;

-- `create_time` is when it was begun, by the gateway's clock. `reply` is the start of what the
-- endpoint said, without what could harm whoever looks at it: see services/events/reply_text.py.
CREATE TABLE webhook_attempts (
  merchant_id text COLLATE "C" NOT NULL,
  endpoint_id text COLLATE "C" NOT NULL,
  event_id    text COLLATE "C" NOT NULL,
  number      bigint NOT NULL CHECK (number > 0),
  create_time timestamptz NOT NULL,
  duration    interval NOT NULL CHECK (duration >= interval '0'),
  status_code bigint NOT NULL,
  error       text NOT NULL,
  reply       text NOT NULL CHECK (length(reply) <= 1024),
  PRIMARY KEY (merchant_id, endpoint_id, event_id, number)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

GRANT SELECT, INSERT, DELETE ON webhook_attempts TO paygate_events;
GRANT SELECT ON webhook_attempts TO paygate_webhooks;
GRANT SELECT, DELETE ON webhook_attempts TO paygate_sandbox;

ALTER TABLE webhook_attempts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON webhook_attempts TO paygate_webhooks
USING (merchant_id = current_setting('paygate.merchant_id', true));
CREATE POLICY everybody ON webhook_attempts TO paygate_events, paygate_sandbox USING (true);

-- migrate:down

DROP TABLE webhook_attempts;
ALTER TABLE webhook_deliveries DROP COLUMN attempts_in_all;

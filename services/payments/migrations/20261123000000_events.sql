-- The clock of the sandbox, and what events and webhooks need.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- One row in the sandbox, none in production: how far its clock is ahead of the real time.
CREATE TABLE sandbox_clock (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  ahead     interval NOT NULL CHECK (ahead >= interval '0')
);

-- The time by which payments expire, retries are due and keys age. Leases go by real time.
CREATE FUNCTION gateway_now() RETURNS timestamptz
LANGUAGE sql STABLE
AS $$ SELECT clock_timestamp() + coalesce((SELECT ahead FROM sandbox_clock), interval '0') $$;

-- An expiry that the bank has been told of and has not acknowledged yet.
ALTER TABLE payments ADD COLUMN expiring boolean NOT NULL DEFAULT false;

-- `relay_time`: when its deliveries were made out. `publish_time`: when the bus had taken it, or when
-- it was relayed while there was none. `publish_lease_time`: until when a relay may be publishing it.
ALTER TABLE outbox
  ADD COLUMN relay_time timestamptz,
  ADD COLUMN publish_time timestamptz,
  ADD COLUMN publish_lease_time timestamptz;

CREATE TABLE webhook_endpoints (
  merchant_id text COLLATE "C" NOT NULL,
  id          text COLLATE "C" NOT NULL,
  url         text NOT NULL CHECK (length(url) <= 2048),
  event_types text[] NOT NULL,
  status      text NOT NULL CHECK (status IN ('ENABLED', 'DISABLED')),
  description text NOT NULL CHECK (length(description) <= 255),
  create_time timestamptz NOT NULL,
  update_time timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, id)
);

-- Signing secrets, encrypted (AES-256-GCM, bound to merchant and endpoint). The newest one has no
-- `expire_time`; others sign as well until theirs, in real time.
CREATE TABLE webhook_secrets (
  merchant_id text COLLATE "C" NOT NULL,
  endpoint_id text COLLATE "C" NOT NULL,
  id          text COLLATE "C" NOT NULL,
  ciphertext  bytea NOT NULL,
  create_time timestamptz NOT NULL,
  expire_time timestamptz,
  PRIMARY KEY (merchant_id, endpoint_id, id)
);
CREATE UNIQUE INDEX webhook_secrets_newest
  ON webhook_secrets (merchant_id, endpoint_id) WHERE expire_time IS NULL;

-- One event on its way to one endpoint. A stream is (endpoint, payment): it is delivered in the
-- order of `sequence`. `due_time` goes by the gateway's clock, `lease_time` by real time.
CREATE TABLE webhook_deliveries (
  merchant_id       text COLLATE "C" NOT NULL,
  endpoint_id       text COLLATE "C" NOT NULL,
  event_id          text COLLATE "C" NOT NULL,
  payment_id        text COLLATE "C" NOT NULL,
  sequence          bigint NOT NULL,
  status            text NOT NULL CHECK (status IN ('PENDING', 'DELIVERED', 'FAILED')),
  attempts          bigint NOT NULL DEFAULT 0 CHECK (attempts >= 0),
  due_time          timestamptz,
  lease_time        timestamptz,
  last_attempt_time timestamptz,
  last_status_code  bigint NOT NULL DEFAULT 0,
  last_error        text NOT NULL DEFAULT '',
  create_time       timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, endpoint_id, event_id),
  CONSTRAINT pending_is_due CHECK ((status = 'PENDING') = (due_time IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX webhook_deliveries_by_event ON webhook_deliveries (event_id, merchant_id, endpoint_id);
CREATE INDEX webhook_deliveries_due
  ON webhook_deliveries (merchant_id, endpoint_id, due_time) WHERE status = 'PENDING';
CREATE INDEX webhook_deliveries_streams
  ON webhook_deliveries (merchant_id, endpoint_id, payment_id, sequence) WHERE status = 'PENDING';

-- migrate:down

DROP TABLE webhook_deliveries, webhook_secrets, webhook_endpoints;
ALTER TABLE outbox
  DROP COLUMN relay_time, DROP COLUMN publish_time, DROP COLUMN publish_lease_time;
ALTER TABLE payments DROP COLUMN expiring;
DROP FUNCTION gateway_now;
DROP TABLE sandbox_clock;

-- migrate:up

-- A migration that cannot get its lock gives up; it does not hold up those who queue behind it.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE merchants (
  id          text COLLATE "C" PRIMARY KEY,
  name        text NOT NULL,
  create_time timestamptz NOT NULL
);

-- A key itself is never stored: `digest` is an HMAC of it under the pepper.
CREATE TABLE api_keys (
  merchant_id text COLLATE "C" NOT NULL REFERENCES merchants (id),
  id          text COLLATE "C" NOT NULL,
  digest      bytea NOT NULL CHECK (length(digest) = 32),
  create_time timestamptz NOT NULL,
  revoke_time timestamptz,
  PRIMARY KEY (merchant_id, id)
);
CREATE INDEX api_keys_by_id ON api_keys (id);

-- Amounts are minor units of `currency`. Every rule about money that the domain decides by is a
-- CHECK here once more: a mistake above this line can be refused, never stored.
CREATE TABLE payments (
  merchant_id       text COLLATE "C" NOT NULL,
  id                text COLLATE "C" NOT NULL,
  version           bigint NOT NULL CHECK (version > 0),
  status            text NOT NULL CHECK (status IN (
    'PENDING', 'AUTHORIZED', 'DECLINED', 'FAILED', 'PARTIALLY_CAPTURED', 'CAPTURED',
    'PARTIALLY_REFUNDED', 'REFUNDED', 'VOIDED', 'EXPIRED')),
  authorization_state text NOT NULL CHECK (
    authorization_state IN ('PENDING', 'APPROVED', 'DECLINED', 'FAILED')),
  authorization_id  text COLLATE "C" NOT NULL,
  currency          text COLLATE "C" NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  authorized        bigint NOT NULL CHECK (authorized BETWEEN 1 AND 1000000000000),
  captured          bigint NOT NULL CHECK (captured >= 0),
  refunded          bigint NOT NULL CHECK (refunded >= 0),
  capturing         bigint NOT NULL CHECK (capturing >= 0),
  refunding         bigint NOT NULL CHECK (refunding >= 0),
  closing           boolean NOT NULL,
  closed            boolean NOT NULL,
  voiding           boolean NOT NULL,
  voided            boolean NOT NULL,
  reversing         boolean NOT NULL,
  expired           boolean NOT NULL,
  card_brand        text NOT NULL,
  card_last4        text NOT NULL CHECK (card_last4 ~ '^[0-9]{4}$'),
  card_expiry_month smallint NOT NULL CHECK (card_expiry_month BETWEEN 1 AND 12),
  card_expiry_year  smallint NOT NULL,
  card_fingerprint  bytea NOT NULL,
  reference         text NOT NULL CHECK (length(reference) <= 255),
  decline_code      text,
  last_sequence     bigint NOT NULL CHECK (last_sequence > 0),
  create_time       timestamptz NOT NULL,
  update_time       timestamptz NOT NULL,
  expire_time       timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, id),
  CONSTRAINT captures_within_authorization CHECK (captured + capturing <= authorized),
  CONSTRAINT refunds_within_captures CHECK (refunded + refunding <= captured),
  CONSTRAINT nothing_without_approval CHECK (
    authorization_state = 'APPROVED' OR (captured = 0 AND capturing = 0 AND NOT voiding AND NOT voided)),
  CONSTRAINT void_alone CHECK (
    NOT (voiding OR voided OR expired) OR (captured = 0 AND capturing = 0)),
  CONSTRAINT void_once CHECK (NOT (voiding AND voided)),
  CONSTRAINT no_capture_beside_a_refund CHECK (
    capturing = 0 OR (refunded = 0 AND refunding = 0)),
  CONSTRAINT reversed_before_known CHECK (NOT reversing OR authorization_state = 'PENDING')
) WITH (fillfactor = 85);
-- Only primary keys begin with the merchant. Without statistics, in a new database, the planner
-- takes any index that does for a look-up by key, and reads all that the merchant has.
CREATE INDEX payments_by_status ON payments (status, merchant_id, id);
CREATE INDEX payments_by_reference ON payments (reference, merchant_id, id) WHERE reference <> '';

-- No foreign key to payments: one statement writes both, and nothing deletes a payment.
-- `due_time` is when recovery takes a PENDING action up, in real time.
CREATE TABLE actions (
  merchant_id     text COLLATE "C" NOT NULL,
  id              text COLLATE "C" NOT NULL,
  payment_id      text COLLATE "C" NOT NULL,
  type            text NOT NULL CHECK (
    type IN ('AUTHORIZE', 'CAPTURE', 'VOID', 'REFUND', 'EXPIRE', 'REVERSE')),
  status          text NOT NULL CHECK (status IN ('PENDING', 'SUCCEEDED', 'DECLINED', 'FAILED')),
  currency        text COLLATE "C" NOT NULL,
  minor_units     bigint NOT NULL CHECK (minor_units > 0),
  final           boolean NOT NULL,
  reference       text NOT NULL CHECK (length(reference) <= 255),
  decline_code    text,
  sequence        bigint NOT NULL CHECK (sequence > 0),
  idempotency_key text COLLATE "C",
  create_time     timestamptz NOT NULL,
  update_time     timestamptz NOT NULL,
  due_time        timestamptz,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (payment_id, sequence, merchant_id),
  CONSTRAINT pending_is_due CHECK ((status = 'PENDING') = (due_time IS NOT NULL)),
  CONSTRAINT declined_says_why CHECK ((status = 'DECLINED') = (decline_code IS NOT NULL))
) WITH (fillfactor = 85);
CREATE INDEX actions_due ON actions (due_time) WHERE status = 'PENDING';

-- A key is held from the first commit of its request until it is swept. `reply` is the serialised
-- response message; NULL while the request is running.
CREATE TABLE idempotency_keys (
  merchant_id         text COLLATE "C" NOT NULL,
  rpc                 text COLLATE "C" NOT NULL,
  key                 text COLLATE "C" NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
  fingerprint         bytea NOT NULL,
  fingerprint_version smallint NOT NULL,
  action_id           text COLLATE "C" NOT NULL,
  reply               bytea,
  create_time         timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, rpc, key)
) WITH (fillfactor = 85);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (create_time);

-- Facts for others to act on; `payload` is a paygate.events.v1.PaymentEvent.
CREATE TABLE outbox (
  merchant_id text COLLATE "C" NOT NULL,
  id          text COLLATE "C" NOT NULL,
  payment_id  text COLLATE "C" NOT NULL,
  sequence    bigint NOT NULL,
  type        text NOT NULL,
  payload     bytea NOT NULL,
  create_time timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, id),
  UNIQUE (payment_id, sequence, merchant_id)
);

-- migrate:down

DROP TABLE outbox, idempotency_keys, actions, payments, api_keys, merchants;

-- What a peer keeps of an authorization: the same facts as the gateway, in the tables that a team
-- would draw first.
CREATE TABLE payments (
  id                text COLLATE "C" PRIMARY KEY,
  merchant_id       text COLLATE "C" NOT NULL,
  status            text NOT NULL,
  currency          text NOT NULL,
  authorized        bigint NOT NULL CHECK (authorized > 0),
  captured          bigint NOT NULL CHECK (captured BETWEEN 0 AND authorized),
  refunded          bigint NOT NULL CHECK (refunded BETWEEN 0 AND captured),
  card_brand        text NOT NULL,
  card_last4        text NOT NULL,
  card_expiry_month smallint NOT NULL,
  card_expiry_year  smallint NOT NULL,
  card_fingerprint  bytea NOT NULL,
  card_ciphertext   bytea NOT NULL,
  reference         text NOT NULL,
  create_time       timestamptz NOT NULL,
  expire_time       timestamptz NOT NULL
);
CREATE INDEX payments_by_merchant ON payments (merchant_id, id);

CREATE TABLE actions (
  id          text COLLATE "C" PRIMARY KEY,
  payment_id  text COLLATE "C" NOT NULL,
  type        text NOT NULL,
  status      text NOT NULL,
  currency    text NOT NULL,
  minor_units bigint NOT NULL,
  create_time timestamptz NOT NULL
);
CREATE INDEX actions_by_payment ON actions (payment_id);

CREATE TABLE idempotency_keys (
  merchant_id text COLLATE "C" NOT NULL,
  key         text COLLATE "C" NOT NULL,
  fingerprint bytea NOT NULL,
  reply       bytea NOT NULL,
  create_time timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, key)
);

CREATE TABLE outbox (
  id          text COLLATE "C" PRIMARY KEY,
  payment_id  text COLLATE "C" NOT NULL,
  type        text NOT NULL,
  payload     bytea NOT NULL,
  create_time timestamptz NOT NULL
);

-- The card vault. A card is encrypted under a data key of its merchant, and a data key is wrapped by a
-- key that no database holds. Who writes cards cannot read them.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- `wrapped` begins with what wrapped it and the version of that key: `local:v1:…`, `vault:v1:…`.
CREATE TABLE data_keys (
  merchant_id text COLLATE "C" NOT NULL,
  id          text COLLATE "C" NOT NULL,
  wrapped     text NOT NULL,
  create_time timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, id)
);

-- `ciphertext`: one byte of format, a nonce, AES-256-GCM of number and expiry, bound to merchant, token
-- and format. No foreign key to the data key: it is there before the card, and is never removed.
CREATE TABLE cards (
  merchant_id text COLLATE "C" NOT NULL,
  token       text COLLATE "C" NOT NULL CHECK (token <> ''),
  data_key_id text COLLATE "C" NOT NULL,
  ciphertext  bytea NOT NULL CHECK (length(ciphertext) BETWEEN 30 AND 128),
  create_time timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, token)
);

-- Payments from before the vault have none.
ALTER TABLE payments ADD COLUMN card_token text COLLATE "C" NOT NULL DEFAULT '';

DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'paygate_vault') THEN
    CREATE ROLE paygate_vault NOLOGIN;
    GRANT paygate_vault TO CURRENT_USER;
  END IF;
END
$$;

GRANT USAGE ON SCHEMA public TO paygate_vault;
GRANT SELECT ON cards TO paygate_vault;
GRANT SELECT, INSERT, UPDATE (wrapped) ON data_keys TO paygate_vault;
-- Not SELECT: a grouped commit stores cards that it cannot read again.
GRANT INSERT ON cards TO paygate_gateway;
GRANT DELETE, SELECT (merchant_id) ON cards TO paygate_sandbox;

-- migrate:down

DROP TABLE cards, data_keys;
ALTER TABLE payments DROP COLUMN card_token;
REVOKE USAGE ON SCHEMA public FROM paygate_vault;

-- Rules of a sandbox's merchants: what the bank does instead of what the card's number says.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- Rises with every change of any rule, in the order of commits: who makes one holds the row. By it
-- the bank knows whether the rules that it has in memory are all that there are.
CREATE TABLE rules_version (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    version bigint NOT NULL
);
INSERT INTO rules_version (version) VALUES (1);

-- By which version a merchant's rules were changed last.
CREATE TABLE rule_books (
    merchant_id text PRIMARY KEY,
    version bigint NOT NULL
);
CREATE INDEX rule_books_by_version ON rule_books (version);

CREATE TABLE rules (
    id text PRIMARY KEY,
    merchant_id text NOT NULL,
    place bigint GENERATED ALWAYS AS IDENTITY,
    verb text CHECK (verb IN ('AUTHORIZE', 'CAPTURE', 'VOID', 'REFUND')),
    minor_units_min bigint CHECK (minor_units_min > 0),
    minor_units_max bigint CHECK (minor_units_max > 0),
    currency text CHECK (currency ~ '^[A-Z]{3}$'),
    brand text,
    last4 text CHECK (last4 ~ '^[0-9]{4}$'),
    reference_prefix text,
    effect text NOT NULL
    CHECK (effect IN ('APPROVE', 'DECLINE', 'LOSE_REQUEST', 'LOSE_REPLY', 'UNAVAILABLE')),
    decline_code text,
    delay_ms bigint NOT NULL DEFAULT 0 CHECK (delay_ms >= 0),
    jitter_ms bigint NOT NULL DEFAULT 0 CHECK (jitter_ms >= 0),
    times bigint CHECK (times > 0),
    percent bigint CHECK (percent BETWEEN 1 AND 100),
    active_from timestamptz,
    active_until timestamptz,
    hits bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT rules_decline CHECK ((effect = 'DECLINE') = (decline_code IS NOT NULL)),
    CONSTRAINT rules_hits CHECK (hits >= 0 AND hits <= coalesce(times, hits))
);
CREATE INDEX rules_of_merchant ON rules (merchant_id, place);

-- One row per operation that a rule was used for: written with what the rule has counted, and with
-- what the bank has recorded of the operation, in one transaction.
CREATE TABLE rule_uses (
    reference text PRIMARY KEY,
    merchant_id text NOT NULL,
    rule_id text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX rule_uses_of_merchant ON rule_uses (merchant_id);

-- What was asked for under an idempotency key, and the rule that it made.
CREATE TABLE rule_keys (
    merchant_id text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    rule bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (merchant_id, key)
);

-- migrate:down

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

DROP TABLE rule_keys;
DROP TABLE rule_uses;
DROP TABLE rules;
DROP TABLE rule_books;
DROP TABLE rules_version;

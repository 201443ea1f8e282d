-- The bank's book. No card number, verification value, expiry date, nor a hash of one, is in it:
-- of a card only the scenario that its number stands for is kept.

-- migrate:up

-- One row per authorization, and per reference that a reversal blocked before an authorization
-- came (a tombstone: it has neither amount nor scenario, and is REVERSED for ever).
CREATE TABLE authorizations (
    reference text PRIMARY KEY CHECK (length(reference) BETWEEN 1 AND 64),
    status text NOT NULL,
    scenario text,
    minor_units bigint CHECK (minor_units > 0),
    currency text CHECK (currency ~ '^[A-Z]{3}$'),
    captured bigint NOT NULL DEFAULT 0 CHECK (captured >= 0),
    refunded bigint NOT NULL DEFAULT 0,
    -- What went back to the card without having been captured.
    released bigint NOT NULL DEFAULT 0 CHECK (released >= 0),
    decline_code text,
    approval_code text,
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT authorizations_status
    CHECK (status IN ('OPEN', 'CLOSED', 'VOIDED', 'REVERSED', 'DECLINED')),
    -- Only a tombstone lacks the request's part.
    CONSTRAINT authorizations_tombstone
    CHECK (
        num_nonnulls(scenario, minor_units, currency) = 3
        OR (status = 'REVERSED' AND num_nonnulls(scenario, minor_units, currency) = 0)
    ),
    CONSTRAINT authorizations_code
    CHECK (
        (status <> 'DECLINED' OR decline_code IS NOT NULL)
        AND (status NOT IN ('OPEN', 'CLOSED', 'VOIDED') OR approval_code IS NOT NULL)
        AND num_nonnulls(decline_code, approval_code) <= 1
    ),
    -- Nothing is given back that was not taken; nothing is taken that was not reserved. What was
    -- released is no longer there to be taken: so nothing can be captured once a hold is closed.
    CONSTRAINT authorizations_refunded CHECK (refunded BETWEEN 0 AND captured),
    CONSTRAINT authorizations_captured CHECK (captured + released <= minor_units),
    CONSTRAINT authorizations_open CHECK (status <> 'OPEN' OR (released = 0 AND refunded = 0)),
    CONSTRAINT authorizations_closed
    CHECK (status <> 'CLOSED' OR (captured > 0 AND captured + released = minor_units)),
    CONSTRAINT authorizations_voided
    CHECK (status <> 'VOIDED' OR (captured = 0 AND released = minor_units)),
    CONSTRAINT authorizations_undone
    CHECK (status NOT IN ('REVERSED', 'DECLINED') OR captured = 0)
);

-- One row per capture, void and refund, refused ones included. No foreign key: an operation on an
-- authorization that the bank does not know is refused, and the refusal is kept.
CREATE TABLE operations (
    reference text PRIMARY KEY CHECK (length(reference) BETWEEN 1 AND 64),
    authorization_reference text NOT NULL,
    verb text NOT NULL CHECK (verb IN ('CAPTURE', 'VOID', 'REFUND')),
    minor_units bigint CHECK (minor_units > 0),
    final boolean NOT NULL DEFAULT false,
    decline_code text,
    approval_code text,
    created_at timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT operations_amount CHECK ((verb = 'VOID') = (minor_units IS NULL)),
    CONSTRAINT operations_final CHECK (NOT final OR verb = 'CAPTURE'),
    CONSTRAINT operations_code CHECK (num_nonnulls(decline_code, approval_code) = 1)
);

-- migrate:down

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

DROP TABLE operations;
DROP TABLE authorizations;

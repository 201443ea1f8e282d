-- migrate:up

SET LOCAL lock_timeout = '5s';

-- A reset keeps the cards of payments that are made meanwhile.
GRANT SELECT (token) ON cards TO paygate_sandbox;

-- migrate:down

REVOKE SELECT (token) ON cards FROM paygate_sandbox;

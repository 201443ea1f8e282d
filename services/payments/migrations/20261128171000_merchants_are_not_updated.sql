-- Webhooks locked a merchant's row, which took UPDATE on a column of it. They hold a lock of the session's
-- now, and the relay never did either. No release has had these grants, so none is missed by one that runs.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

REVOKE UPDATE (id) ON merchants FROM paygate_webhooks, paygate_events;

-- migrate:down

GRANT UPDATE (id) ON merchants TO paygate_webhooks, paygate_events;

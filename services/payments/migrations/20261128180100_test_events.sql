-- Test events: what a merchant has sent to one of its endpoints to see that it works. They are in the
-- outbox as all events are, made by the API of webhooks.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

GRANT INSERT ON outbox TO paygate_webhooks;
-- Of whoever makes them nothing else can come: no event says of a payment what is not so.
CREATE POLICY tests_only ON outbox AS RESTRICTIVE FOR INSERT TO paygate_webhooks
WITH CHECK (type = 'webhook.test');

-- migrate:down

DROP POLICY tests_only ON outbox;
REVOKE INSERT ON outbox FROM paygate_webhooks;

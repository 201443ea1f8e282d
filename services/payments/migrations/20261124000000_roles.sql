-- A role for each part of the gateway, which can do no more than its part. Whoever runs the database
-- makes them, or logins that are members of them; where nobody has, they are made here without a
-- login, and the one who migrates may become each of them.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

DO $$
DECLARE
  wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['paygate_gateway', 'paygate_events', 'paygate_sandbox']
  LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
      EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
    END IF;
  END LOOP;
END
$$;

GRANT USAGE ON SCHEMA public TO paygate_gateway, paygate_events, paygate_sandbox;

-- Nothing that moved money is ever removed, so nobody can; a key is, when it is old.
GRANT SELECT, INSERT, UPDATE ON payments, actions TO paygate_gateway;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO paygate_gateway;
GRANT SELECT, INSERT ON outbox TO paygate_gateway;
GRANT SELECT ON api_keys, sandbox_clock TO paygate_gateway;

GRANT SELECT, UPDATE, DELETE ON outbox TO paygate_events;
GRANT SELECT, INSERT, UPDATE, DELETE
ON webhook_endpoints, webhook_secrets, webhook_deliveries TO paygate_events;
GRANT SELECT ON api_keys, sandbox_clock TO paygate_events;
-- To lock a merchant's row takes UPDATE on one column of it.
GRANT SELECT, UPDATE (id) ON merchants TO paygate_events;

-- What only tests need: production has no login of this role.
GRANT SELECT, DELETE ON payments, actions, idempotency_keys, outbox,
  webhook_endpoints, webhook_secrets, webhook_deliveries TO paygate_sandbox;
GRANT SELECT, INSERT, UPDATE ON sandbox_clock TO paygate_sandbox;

-- migrate:down

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM paygate_gateway, paygate_events, paygate_sandbox;
REVOKE USAGE ON SCHEMA public FROM paygate_gateway, paygate_events, paygate_sandbox;

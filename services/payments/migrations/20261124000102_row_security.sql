-- Two walls between merchants: every statement names the merchant, and parts of the gateway that
-- work for one merchant at a time see no other one's rows even where a statement forgets to.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE payments ENABLE ROW LEVEL SECURITY;
ALTER TABLE actions ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_endpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_deliveries ENABLE ROW LEVEL SECURITY;

-- Whose rows a connection works on is set on it: see pkg/postgres/tenancy.py. Where nothing is set, there are
-- none.
CREATE POLICY own ON payments TO paygate_reader
USING (merchant_id = current_setting('paygate.merchant_id', true));
CREATE POLICY own ON actions TO paygate_reader
USING (merchant_id = current_setting('paygate.merchant_id', true));
CREATE POLICY own ON outbox TO paygate_webhooks
USING (merchant_id = current_setting('paygate.merchant_id', true));
CREATE POLICY own ON webhook_endpoints TO paygate_webhooks
USING (merchant_id = current_setting('paygate.merchant_id', true));
CREATE POLICY own ON webhook_secrets TO paygate_webhooks
USING (merchant_id = current_setting('paygate.merchant_id', true));
CREATE POLICY own ON webhook_deliveries TO paygate_webhooks
USING (merchant_id = current_setting('paygate.merchant_id', true));

-- Others write or deliver for many merchants in one statement, or work on everybody's in turn.
CREATE POLICY everybody ON payments TO paygate_gateway, paygate_sandbox USING (true);
CREATE POLICY everybody ON actions TO paygate_gateway, paygate_sandbox USING (true);
CREATE POLICY everybody ON idempotency_keys TO paygate_gateway, paygate_sandbox USING (true);
CREATE POLICY everybody ON outbox TO paygate_gateway, paygate_events, paygate_sandbox USING (true);
CREATE POLICY everybody ON webhook_endpoints TO paygate_events, paygate_sandbox USING (true);
CREATE POLICY everybody ON webhook_secrets TO paygate_events, paygate_sandbox USING (true);
CREATE POLICY everybody ON webhook_deliveries TO paygate_events, paygate_sandbox USING (true);

-- migrate:down

DROP POLICY own ON payments;
DROP POLICY own ON actions;
DROP POLICY own ON outbox;
DROP POLICY own ON webhook_endpoints;
DROP POLICY own ON webhook_secrets;
DROP POLICY own ON webhook_deliveries;
DROP POLICY everybody ON payments;
DROP POLICY everybody ON actions;
DROP POLICY everybody ON idempotency_keys;
DROP POLICY everybody ON outbox;
DROP POLICY everybody ON webhook_endpoints;
DROP POLICY everybody ON webhook_secrets;
DROP POLICY everybody ON webhook_deliveries;
ALTER TABLE payments DISABLE ROW LEVEL SECURITY;
ALTER TABLE actions DISABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_keys DISABLE ROW LEVEL SECURITY;
ALTER TABLE outbox DISABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_endpoints DISABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_secrets DISABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_deliveries DISABLE ROW LEVEL SECURITY;

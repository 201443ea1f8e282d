-- Listeners: endpoints of the sandbox whose messages a program takes, posts on its own machine, and answers.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- Who listens. UNLOGGED, as all of it: after a crash of the database listeners ask again within seconds, and
-- the attempts whose messages are lost are made once more. Times are real.
CREATE UNLOGGED TABLE listeners (
  merchant_id text COLLATE "C" NOT NULL,
  endpoint_id text COLLATE "C" NOT NULL,
  listener    text NOT NULL,
  seen_time   timestamptz NOT NULL,
  PRIMARY KEY (merchant_id, endpoint_id)
);

-- What is to be posted; the relay that has put it there takes it out again, answered or not.
-- `status_code` is NULL until it is answered.
CREATE UNLOGGED TABLE listener_messages (
  merchant_id text COLLATE "C" NOT NULL,
  endpoint_id text COLLATE "C" NOT NULL,
  id          text COLLATE "C" NOT NULL,
  event_id    text COLLATE "C" NOT NULL,
  attempt     bigint NOT NULL,
  headers     text NOT NULL,
  body        text NOT NULL,
  create_time timestamptz NOT NULL,
  taken_by    text NOT NULL DEFAULT '',
  status_code bigint,
  problem     text NOT NULL DEFAULT '',
  reply       text NOT NULL DEFAULT '',
  PRIMARY KEY (merchant_id, endpoint_id, id)
);

GRANT SELECT ON listeners TO paygate_events;
GRANT SELECT, INSERT, UPDATE, DELETE ON listeners TO paygate_sandbox;
GRANT SELECT, INSERT, DELETE ON listener_messages TO paygate_events;
GRANT SELECT, UPDATE (taken_by, status_code, problem, reply), DELETE ON listener_messages TO paygate_sandbox;

ALTER TABLE listeners ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON listeners TO paygate_events, paygate_sandbox USING (true);
ALTER TABLE listener_messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON listener_messages TO paygate_events, paygate_sandbox USING (true);

-- migrate:down

DROP TABLE listener_messages;
DROP TABLE listeners;

-- The sandbox's inbox: what would have been posted to endpoints whose URL is the inbox's.

-- migrate:up

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- The last 200 of a merchant. Empty in production, where no endpoint may have that URL.
CREATE TABLE inbox_messages (
  merchant_id text COLLATE "C" NOT NULL,
  id          text COLLATE "C" NOT NULL,
  create_time timestamptz NOT NULL,
  endpoint_id text COLLATE "C" NOT NULL,
  event_id    text COLLATE "C" NOT NULL,
  status_code bigint NOT NULL,
  headers     text NOT NULL,
  body        text NOT NULL,
  PRIMARY KEY (merchant_id, id)
) WITH (autovacuum_vacuum_scale_factor = 0.05);

GRANT SELECT, INSERT, DELETE ON inbox_messages TO paygate_events;
GRANT SELECT, DELETE ON inbox_messages TO paygate_sandbox;

ALTER TABLE inbox_messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON inbox_messages TO paygate_events, paygate_sandbox USING (true);

-- migrate:down

DROP TABLE inbox_messages;

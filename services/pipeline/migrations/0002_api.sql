-- Times here are the database's own, as in the inbox: a stepping clock does not age a key.

-- An agent's key. The secret has 256 random bits, so one plain hash of it is enough.
CREATE TABLE api_key (
  id text PRIMARY KEY,
  tenant text NOT NULL,
  agent text NOT NULL,
  name text,
  secret_sha256 bytea NOT NULL CHECK (length(secret_sha256) = 32),
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz
);

-- What an Idempotency-Key was answered. The row is inserted first and filled in the same
-- transaction, so that a repeat waits for the first and then reads its answer.
CREATE TABLE answer (
  tenant text NOT NULL,
  agent text NOT NULL,
  key text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
  request_sha256 bytea NOT NULL,
  status int,
  body text,
  created_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, agent, key)
);

CREATE INDEX answer_age ON answer (created_at);

-- What an erased person had forbidden: a keyed hash of each point they had, and channel → rule. So
-- that whoever brings them in again finds it, and nobody can read here who they were.
CREATE TABLE objection (
  tenant text NOT NULL,
  point bytea NOT NULL CHECK (length(point) = 32),
  forbidden json NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (tenant, point)
);

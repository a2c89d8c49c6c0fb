-- Work: agents who are away for long, and up to where their open leads have been told (in the order
-- of core/order.py). `cause` is the id of the AgentAbsent, `said` the whole of it; `why` it waits.
CREATE TABLE absent (
  cause uuid PRIMARY KEY,
  tenant text NOT NULL,
  agent text NOT NULL,
  said json NOT NULL,
  received_at timestamptz NOT NULL DEFAULT '-infinity',
  tie_break bigint NOT NULL DEFAULT 0,
  lead uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
  why text,
  noted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

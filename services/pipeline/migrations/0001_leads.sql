-- Whose point it is. A row with no contact was named once and led to nobody; it is what
-- concurrent arrivals of one person queue on (runtime.md 14), so it is inserted before it is known.
CREATE TABLE contact (
  id uuid PRIMARY KEY,
  tenant text NOT NULL,
  state json NOT NULL
);

-- COLLATE "C": locks are taken in the order of this key, which must never depend on a locale.
CREATE TABLE contact_point (
  tenant text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL CHECK (kind IN ('phone', 'email')),
  value text COLLATE "C" NOT NULL,
  contact uuid REFERENCES contact,
  PRIMARY KEY (tenant, kind, value)
);

-- `state` is the truth: `json`, not `jsonb`, which would forget in which order tasks came. The
-- columns are what people search by. `words` holds, in lower case, what they may remember of it:
-- number, name, company, phone, e-mail.
CREATE TABLE lead (
  id uuid PRIMARY KEY,
  tenant text NOT NULL,
  number text NOT NULL,
  contact uuid NOT NULL REFERENCES contact,
  pipeline text NOT NULL,
  status text NOT NULL CHECK (status IN ('open', 'won', 'lost', 'invalid')),
  stage text NOT NULL,
  owner text,
  site text NOT NULL,
  received_at timestamptz NOT NULL,
  words text NOT NULL,
  state json NOT NULL
);

CREATE INDEX lead_by_contact ON lead (contact);
CREATE INDEX lead_by_number ON lead (tenant, number);
CREATE INDEX lead_newest ON lead (tenant, received_at DESC, id DESC);
CREATE INDEX lead_of_owner ON lead (tenant, owner, status, received_at DESC, id DESC);

-- The Message-IDs of a lead's mails: an answer to one of them is a reply, no new lead.
CREATE TABLE lead_mail (
  tenant text NOT NULL,
  message_id text COLLATE "C" NOT NULL,
  lead uuid NOT NULL REFERENCES lead,
  PRIMARY KEY (tenant, message_id, lead)
);

-- One row for each thing that happened to a lead: `cause` came in, `events` followed from it.
-- `json`, not `jsonb`: it is written on the hot path, kept as it was said, never searched.
-- No foreign key: it is written in the transaction that writes the lead, and only there.
CREATE TABLE lead_history (
  lead uuid NOT NULL,
  position bigint GENERATED ALWAYS AS IDENTITY,
  cause json NOT NULL,
  events json NOT NULL,
  PRIMARY KEY (lead, position)
);

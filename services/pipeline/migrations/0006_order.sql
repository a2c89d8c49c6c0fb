-- What a lead said when it began, as a number: it orders leads received at the same instant, where
-- the id would do so by chance. Of a lead stored before it is 0: those stand by their ids.
ALTER TABLE lead ADD COLUMN tie_break bigint NOT NULL DEFAULT 0;

DROP INDEX lead_newest;
DROP INDEX lead_of_owner;
DROP INDEX lead_lost;
CREATE INDEX lead_newest ON lead (tenant, received_at DESC, tie_break DESC, id DESC);
CREATE INDEX lead_of_owner
  ON lead (tenant, owner, status, received_at DESC, tie_break DESC, id DESC);
CREATE INDEX lead_lost ON lead (tenant, received_at, tie_break, id) WHERE status = 'lost';

-- Queues look for lost leads, the oldest first (000-11); open ones are found by their owner.
CREATE INDEX lead_lost ON lead (tenant, received_at, id) WHERE status = 'lost';

-- Who owes an open task on a lead that is somebody else's, or closed: as a rule nobody, so the
-- index is small and costs nothing where it is not needed.
ALTER TABLE lead ADD COLUMN lent text[] NOT NULL DEFAULT '{}';
CREATE INDEX lead_lent ON lead USING gin (lent) WHERE lent <> '{}';

-- When the earliest open task of a lead is due: by this lists are urgent (004-23). No index of its
-- own: it changes with every deadline, and an owner's open leads are found by lead_of_owner. Of a
-- lead stored before, it is known once something happens to it.
ALTER TABLE lead ADD COLUMN next_due_at timestamptz;

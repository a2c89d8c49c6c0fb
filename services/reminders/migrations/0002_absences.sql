-- Absences of more than 24 hours: those to come, and those that were said, so that none is said twice.
create table absence (
  tenant text        not null,
  agent  text        not null,
  since  timestamptz not null,
  until  timestamptz not null,
  due_at timestamptz not null,
  said   boolean     not null default false,
  primary key (tenant, agent, since)
);
create index absence_by_due on absence (due_at) where not said;

-- Who does not want to be written to, by contact point: a lead learnt or joined later is bound too.
-- Rows are never deleted: an erased person must not be written to either.
create table revocation (
  tenant  text not null,
  kind    text not null check (kind in ('phone', 'email')),
  value   text not null,
  channel text not null,
  at      timestamptz not null default now(),
  primary key (tenant, kind, value, channel)
);

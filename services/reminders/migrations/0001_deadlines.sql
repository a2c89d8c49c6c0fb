-- What is armed: a row goes when it fires, is cleared or its lead closes.
create table deadline (
  lead   uuid        not null,
  name   text        not null,
  due_at timestamptz not null,
  -- The DeadlineSet as it came: what firing tells, and what a changed calendar plans again.
  asked  jsonb       not null check (asked ->> 'subject' = lead::text and asked -> 'data' ->> 'name' = name),
  primary key (lead, name)
);
create index deadline_by_due on deadline (due_at);

-- An agent's digests: the next one, and those that were said, so that none is said twice a day.
create table digest (
  agent  text        not null,
  date   date        not null,  -- local, of the agent's site
  due_at timestamptz not null,
  said   boolean     not null default false,
  primary key (agent, date)
);
create unique index digest_next on digest (agent) where not said;
create index digest_by_due on digest (due_at) where not said;

-- The runtime's own tables, in every service's schema. Times here are real ones (leases, ages),
-- never the stepping clock's.

-- Repeats from outside: events that carry an id and no sequence (runtime.md 10), and
-- Idempotency-Keys. Rows live 120 days.
create table inbox (
  id      uuid primary key,
  seen_at timestamptz not null default now()
);
create index inbox_by_age on inbox using brin (seen_at);

-- The last sequence of a subject: given out for our own source, taken in for others' (9).
create table sequence (
  source  text   not null,
  subject text   not null,
  last    bigint not null check (last > 0),
  primary key (source, subject)
) with (fillfactor = 80);

-- What is committed and not published yet (16). cache 1, and the subject's sequence row is locked
-- before the insert: so id order is commit order per subject.
create table outbox (
  id      bigint generated always as identity (cache 1) primary key,
  topic   text  not null,
  key     bytea,
  value   bytea,
  headers jsonb  -- [[name, base64 or null], …]; null means the headers of a CloudEvent
);

-- Events that wait: a gap before them, a fact they need, a type this release does not know, or a
-- subject whose earlier event is set aside (9, 11, 24).
create table parked (
  id           bigint generated always as identity primary key,
  subscription text   not null,
  topic        text   not null,
  partition    int    not null,
  record       bigint not null,  -- the offset in the partition
  key          bytea,
  value        bytea  not null,
  headers      jsonb  not null,
  source       text   not null,
  subject      text   not null,
  sequence     bigint,
  why          text   not null,
  waits_for    text   not null check (waits_for in ('fact', 'gap', 'type', 'gate', 'turn')),
  parked_at    timestamptz not null default now(),
  tried_at     timestamptz,
  unique (subscription, topic, partition, record)
);
create index parked_in_order on parked (subscription, source, subject, sequence, id);

-- Bad input, set aside with its bytes and the reason (5).
create table quarantine (
  id             bigint generated always as identity primary key,
  subscription   text   not null,
  topic          text   not null,
  partition      int    not null,
  record         bigint not null,
  key            bytea,
  value          bytea,
  headers        jsonb  not null,
  source         text,
  subject        text,
  sequence       bigint,
  event          text,
  why            text   not null,
  quarantined_at timestamptz not null default now(),
  unique (subscription, topic, partition, record)
);
create index quarantine_by_subject on quarantine (source, subject) where subject is not null;

-- How far this service is in a topic: the next record, and the time that has passed there (12).
create table watermark (
  topic       text   not null,
  partition   int    not null,
  next_record bigint not null,
  passed_at   timestamptz,
  primary key (topic, partition)
) with (fillfactor = 50);

-- The service's copy of the directory (22).
create table directory (
  tenant   text   not null,
  kind     text   not null,
  id       text   not null,
  document jsonb  not null,
  record   bigint not null,
  primary key (tenant, kind, id)
);

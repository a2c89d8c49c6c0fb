-- The sandbox is an SMS provider that only shows what it would have sent. `times` counts how often
-- it was handed the same message.
create table sandbox_sms (
  id        uuid primary key,
  place     bigint generated always as identity,
  recipient text not null,
  sender    text not null,
  text      text not null,
  parts     int  not null check (parts > 0),
  times     int  not null default 1,
  at        timestamptz not null
);
create index sandbox_sms_latest on sandbox_sms (place desc);

-- One message to one person by one channel. Instants of the business (send_after) are the
-- clock's, which may step; retry_at, lease_until and handed_at are real ones.
create table message (
  id          uuid primary key,
  place       bigint generated always as identity (cache 1),
  tenant      text not null,
  recipient   text not null,
  channel     text not null check (channel in ('sms', 'email')),
  template    text not null,
  occasion    text not null,
  subject     text not null,          -- the key of its events: a lead or an agent
  lead        text,
  status      text not null check (status in
                ('requested', 'held', 'sending', 'sent', 'failed', 'suppressed', 'unknown')),
  request     jsonb not null,         -- the envelope of NotificationRequested
  content     jsonb,                  -- what was, or is being, handed over
  send_after  timestamptz not null,
  attempts    int not null default 0,
  deferred    boolean not null default false,
  withdrawn   boolean not null default false,
  retry_at    timestamptz,
  lease_until timestamptz,
  handed_at   timestamptz,
  provider_id text,
  why         text,                   -- of the latest refusal or failure
  -- Nobody is told twice, whatever asks (design.md 10).
  constraint told_once unique (tenant, recipient, channel, template, occasion),
  -- A message in hand belongs to somebody for a limited time, and it is known what is being sent.
  constraint leased_while_sending check ((status = 'sending') = (lease_until is not null)),
  constraint content_before_sending check (status not in ('sending', 'sent') or content is not null)
) with (fillfactor = 70);

create index message_due on message (channel, send_after, place)
  where status in ('requested', 'held') and retry_at is null;
create index message_again on message (channel, retry_at)
  where status in ('requested', 'held') and retry_at is not null;
create index message_unfinished on message (subject, place)
  where status in ('requested', 'held', 'sending');
create index message_of_lead on message (lead)
  where status in ('requested', 'held', 'sending') and lead is not null;
create index message_leased on message (channel, lease_until) where status = 'sending';

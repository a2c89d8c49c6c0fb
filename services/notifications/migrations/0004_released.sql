-- How far the directory has been read for held messages: what changed after it may open a door for
-- them. A second lap, a minute of real time later, finds those that were held by the old documents
-- meanwhile.
create table released (
  tenant text        primary key,
  record bigint      not null,
  lap    int         not null default 1,
  since  timestamptz not null default clock_timestamp()
);
create index message_held on message (tenant, send_after) where status = 'held';

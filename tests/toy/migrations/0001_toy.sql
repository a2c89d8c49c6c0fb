-- What a toy service has been told, in the order it took effect.
create table told (
  place    bigint generated always as identity primary key,
  event    uuid   not null unique,
  source   text   not null,
  subject  text   not null,
  sequence bigint,
  text     text   not null,
  told_at  timestamptz not null  -- the event's own time
);

-- A subject's running count: the effect that must be exactly once.
create table tally (
  subject text primary key,
  many    bigint not null
);

-- What a member of the ring will say, and when.
create table planned (
  event  bytea       not null,
  due_at timestamptz not null
);

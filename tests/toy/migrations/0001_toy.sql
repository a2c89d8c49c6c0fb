-- What a toy service has been told, in the order it took effect.
create table told (
  place    bigint generated always as identity primary key,
  event    uuid   not null unique,
  source   text   not null,
  subject  text   not null,
  sequence bigint,
  text     text   not null
);

-- A subject's running count: the effect that must be exactly once.
create table tally (
  subject text primary key,
  many    bigint not null
);

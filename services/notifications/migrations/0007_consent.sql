-- The last word of each contact point on each channel. The point is a keyed hash: the rows outlive
-- the erasure of a person, who must not be written to afterwards either, and name nobody.
create table consent (
  tenant   text   not null,
  point    bytea  not null check (length(point) = 32),
  channel  text   not null,
  revision bigint not null,
  given    boolean not null,
  primary key (tenant, point, channel)
);
-- `revocation` holds what was revoked before, in clear; the service hashes it when it starts.

-- By which version of the site's hours an instant was planned: what was planned by an older one is
-- planned again (runtime.md 15). A version is the place of a document on directory.v1, plus one.
alter table deadline add column site text;
update deadline set site = asked -> 'data' ->> 'site';
alter table deadline alter column site set not null;
alter table deadline add column planned_by bigint not null default 0;

-- The work: sites whose hours have changed. `reached` is how far it is done, soonest first; a second
-- lap, a minute of real time later, finds what was planned by the old hours meanwhile.
create table replanning (
  tenant  text        not null,
  site    text        not null,
  version bigint      not null,
  reached timestamptz not null default '-infinity',
  lap     int         not null default 1,
  since   timestamptz not null default clock_timestamp(),
  primary key (tenant, site)
);

-- By which version of the directory a held message was judged: when somebody is back earlier, or a
-- site opens earlier, what is held is judged again (a version is the place on directory.v1 plus one).
alter table message add column judged_by bigint not null default 0;
create index message_recall on message (tenant, judged_by) where status = 'held';

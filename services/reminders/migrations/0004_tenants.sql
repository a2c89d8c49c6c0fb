-- Several companies side by side: two of them may have an agent of the same name.
alter table digest add column tenant text;
update digest set tenant = coalesce((select asked ->> 'tenant' from deadline limit 1), '');
alter table digest alter column tenant set not null;
alter table digest drop constraint digest_pkey;
alter table digest add primary key (tenant, agent, date);
drop index digest_next;
create unique index digest_next on digest (tenant, agent) where not said;

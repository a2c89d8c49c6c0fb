-- `more` holds what further requests of one occasion add to a message that collects them (000-02).
alter table message add column more jsonb not null default '[]';
alter table sandbox_sms add column channel text not null default 'sms';

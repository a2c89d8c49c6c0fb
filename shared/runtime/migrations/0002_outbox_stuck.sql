-- Rows that Kafka refuses for good, and later ones of their subject behind them, each with the
-- reason (runtime.md 17); the relay passes them over.
alter table outbox add column stuck text;
create index outbox_stuck on outbox (topic, key) where stuck is not null;

-- A batch often writes many rows of one page again: at 80 more than half found no room there.
alter table sequence set (fillfactor = 50);

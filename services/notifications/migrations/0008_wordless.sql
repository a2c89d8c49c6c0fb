-- A message that has ended keeps no word of what it said, nor where it went (what was sent is in its
-- lead's history): so nothing is left here of a person who is erased.
alter table message drop constraint content_before_sending;
alter table message add constraint content_while_sending
  check (status <> 'sending' or content is not null);
update message set
  content = null, more = '[]',
  request = jsonb_set(jsonb_set(request, '{data,values}', '{}'), '{data,to,points}', '[]')
            #- '{data,invitation}'
where status not in ('requested', 'held', 'sending');

-- What a unit assists in now is a small part of what it ever assisted in.
alter table assisting add column is_open boolean not null default true;
update assisting set is_open = false
where ticket in (select number from ticket where state in ('archived', 'refused', 'withdrawn', 'merged'));
create index assisting_open on assisting (unit, ticket) where is_open;

-- A ticket's words are found by their own key.
drop index gram_ticket;

-- Requests that came in at a leaders' event: reports count them without looking at all others.
create index ticket_event on ticket (event, created_at) where event is not null;

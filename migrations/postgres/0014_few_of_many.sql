-- Of very many tickets few wait for a decision or are supervised now, and few of a unit's are of a class.
create index ticket_asked on ticket (number) where asked is not null;
create index ticket_supervised_now on ticket (supervision, number) where state <> 'archived';
create index ticket_unit_class on ticket (lead_unit, class, created_at, number);

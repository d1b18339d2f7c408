-- What is deleted when it is old enough is found by its age.

create index outbox_delivered on outbox (delivered_at, id) where delivered_at is not null;
create index idempotency_at on idempotency (at);

-- Return visits that make themselves: what is done next for each, every attempt, and who is not to be called.

-- call, live (a call goes on), sms, reply (an SMS is waited for), final (the answers so far become final), person; null: no plan
-- was made yet, or the visit is over.
alter table visit add column step text;
alter table visit add column next_at timestamp;
-- What it waits for, or why a person makes it.
alter table visit add column held text;
-- The version of the calendar that the plan was made by.
alter table visit add column calendar text;
alter table visit add column sms_at timestamp;
create index visit_step on visit (step, next_at, ticket) where state = 'due';
create index visit_calendar on visit (step, calendar) where state = 'due';
create index visit_closed_ticket on visit (closed_at, ticket, round);

-- One try to reach a requester; live while ended_at is null.
create table attempt (
    id text primary key not null,
    ticket text not null references ticket (number),
    round bigint not null,
    way text not null,
    phone text not null,
    -- The node and its start.
    node text not null,
    start text not null,
    begun_at timestamp not null,
    lease_until timestamp not null,
    -- Both null until an INVITE is about to leave.
    trunk text,
    call text,
    dialled_at timestamp,
    ended_at timestamp,
    outcome text,
    -- The SIP status and the Q.850 cause that it ended with.
    status bigint,
    q850 bigint,
    message_left boolean not null,
    -- The recording of what the network played.
    early text,
    -- What was said, when it was said.
    willing boolean not null,
    contacted text,
    solved text,
    satisfaction bigint,
    redo boolean,
    reason text
);
create unique index attempt_live_ticket on attempt (ticket) where ended_at is null;
create unique index attempt_live_phone on attempt (phone) where ended_at is null;
create index attempt_ticket on attempt (ticket, round, begun_at);
create index attempt_phone on attempt (phone, begun_at);
create index attempt_begun on attempt (begun_at);
create index attempt_lease on attempt (lease_until) where ended_at is null;

-- Numbers that want no automatic calls.
create table opt_out (
    phone text primary key not null,
    at timestamp not null,
    actor text not null
);
create index opt_out_at on opt_out (at, phone);

-- Cities whose automatic calls are paused.
create table visit_pause (
    city text primary key not null,
    at timestamp not null,
    actor text not null,
    why text not null
);

-- Names of fields are those of src/ticket/fields.rs; phones are national digits.

create table call (
    id text primary key,
    node text not null,
    direction text not null,
    sip_call_id text,
    city text not null,
    line text not null,
    phone text,
    language text,
    started_at timestamptz not null,
    answered_at timestamptz,
    ended_at timestamptz,
    ended_by text
);
create index call_started on call (started_at, id);
create index call_city_started on call (city, started_at, id);
create index call_phone_started on call (phone, started_at, id);
create index call_open on call (node) where ended_at is null;

-- No foreign key: a batch holds events of many calls and must not fail for one whose row is still to be rebuilt.
create table call_event (
    call text not null,
    sequence bigint not null,
    at timestamptz not null,
    offset_ms bigint not null,
    kind text not null,
    text text not null,
    primary key (call, sequence)
);

create table ticket (
    number text primary key,
    city text not null,
    channel text not null,
    line text,
    call text unique references call (id),
    created_at timestamptz not null,
    created_day date not null,
    language text not null,
    requester text not null,
    phone text,
    other_phone text,
    confidential boolean not null,
    request_type text,
    urgency text not null,
    confirmed boolean not null,
    state text not null
);
create index ticket_created on ticket (created_at, number);
create index ticket_city_created on ticket (city, created_at, number);
create index ticket_phone_created on ticket (phone, created_at, number);

create table audit (
    ticket text not null references ticket (number),
    sequence bigint not null,
    at timestamptz not null,
    actor text not null,
    action text not null,
    field text,
    was text,
    became text,
    primary key (ticket, sequence)
);

create table recording (
    id text primary key,
    call text not null references call (id),
    ticket text references ticket (number),
    kind text not null,
    node text not null,
    path text not null unique,
    channels bigint not null,
    started_at timestamptz not null,
    state text not null,
    duration_ms bigint,
    sha256 text,
    bytes bigint,
    ended_by text,
    damaged boolean not null
);
create index recording_call on recording (call);
create index recording_ticket on recording (ticket);
create index recording_open on recording (node) where state = 'open';

create table number_sequence (
    city text not null,
    day date not null,
    last bigint not null,
    primary key (city, day)
);

create table urge (
    ticket text not null references ticket (number),
    day date not null,
    at timestamptz not null,
    primary key (ticket, day)
);

create table caller_language (
    phone text primary key,
    language text not null,
    updated_at timestamptz not null
);

-- The subject is a phone number, or the ticket's number when the caller withholds theirs.
create table progress_failure (
    subject text primary key,
    failures bigint not null,
    last_at timestamptz not null
);

create table meta (
    name text primary key,
    value text not null
);

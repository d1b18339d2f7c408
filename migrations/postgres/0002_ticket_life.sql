-- A ticket's whole life: its matter, its handling, its clocks, the people and systems who move it. Names of fields are
-- those of src/ticket; times are UTC, days are of Beijing.

alter table ticket add column name text;
alter table ticket add column enterprise_name text;
alter table ticket add column anonymous boolean not null default false;
alter table ticket add column title text;
alter table ticket add column content text;
alter table ticket add column summary text;
alter table ticket add column class text;
alter table ticket add column place text;
-- The place as it is compared: other spellings of one place are one.
alter table ticket add column place_key text;
-- WGS 84, in millionths of a degree.
alter table ticket add column latitude bigint;
alter table ticket add column longitude bigint;
alter table ticket add column complained_party text;
alter table ticket add column event text;
alter table ticket add column media boolean not null default false;
alter table ticket add column invalid boolean not null default false;
alter table ticket add column repeat_of text;
alter table ticket add column merged_into text;
alter table ticket add column reason text;
alter table ticket add column lead_unit text;
-- Codes separated by spaces; the table assisting finds tickets by them.
alter table ticket add column assisting_units text not null default '';
alter table ticket add column round bigint not null default 1;
-- Null in the first round, which counts from the creation.
alter table ticket add column round_started_at timestamptz;
alter table ticket add column dispatched_at timestamptz;
alter table ticket add column contact_due_at timestamptz;
alter table ticket add column contact_at timestamptz;
alter table ticket add column due_day date;
alter table ticket add column due_provisional boolean not null default false;
-- Working days of this round beyond its limit.
alter table ticket add column extra_days bigint not null default 0;
alter table ticket add column extended_by bigint;
-- A request that waits for a decision, as JSON: extension, suspension, exclusion.
alter table ticket add column asked text;
alter table ticket add column suspended_at timestamptz;
alter table ticket add column review_day date;
alter table ticket add column returns bigint not null default 0;
alter table ticket add column reply text;
-- When the unit's reply passed review or the hotline answered directly.
alter table ticket add column closed_at timestamptz;
alter table ticket add column ended_at timestamptz;
alter table ticket add column excluded text;
alter table ticket add column supervision bigint not null default 0;
alter table ticket add column supervised_at timestamptz;
alter table ticket add column progressed_at timestamptz;
-- What the clock has raised already, so that it is raised once: names separated by spaces.
alter table ticket add column raised text not null default '';
alter table ticket add column contacted text;
alter table ticket add column solved text;
alter table ticket add column satisfaction bigint;
-- The client of the API that filed it.
alter table ticket add column client text;
alter table ticket add column version bigint not null default 1;
alter table ticket add column state_since timestamptz;
update ticket set state_since = created_at;

create index ticket_state_due on ticket (state, due_day, number);
create index ticket_city_state_created on ticket (city, state, created_at, number);
create index ticket_unit_state_due on ticket (lead_unit, state, due_day, number);
create index ticket_class_place_created on ticket (class, place_key, created_at);
create index ticket_unit_created on ticket (lead_unit, created_at, number);
create index ticket_city_state_due on ticket (city, state, due_day, number);
create index ticket_class_created on ticket (class, created_at, number);
create index ticket_supervised on ticket (city, created_at, number) where supervision > 0;
create index ticket_repeat on ticket (repeat_of) where repeat_of is not null;
create index ticket_day on ticket (created_day, city);
create index ticket_closed on ticket (closed_at, city);
create index ticket_ended on ticket (ended_at, city);
create index ticket_due on ticket (due_day, city);
create index ticket_contact on ticket (contact_due_at, city);
create index ticket_merged on ticket (merged_into) where merged_into is not null;
create index ticket_unit_closed on ticket (lead_unit, closed_at);
create index ticket_contact_due on ticket (contact_due_at) where contact_at is null;

-- Units that help the lead (联办).
create table assisting (
    ticket text not null references ticket (number),
    unit text not null,
    primary key (ticket, unit)
);
create index assisting_unit on assisting (unit, ticket);

-- Proof of contact.
create table contact (
    ticket text not null references ticket (number),
    sequence bigint not null,
    round bigint not null,
    at timestamptz not null,
    actor text not null,
    told text not null,
    primary key (ticket, sequence)
);

-- One return visit a ticket and round.
create table visit (
    ticket text not null references ticket (number),
    round bigint not null,
    state text not null,
    -- The closing that it follows.
    closed_at timestamptz not null,
    due_at timestamptz not null,
    attempts bigint not null,
    attempted_at timestamptz,
    answered_at timestamptz,
    means text,
    contacted text,
    solved text,
    satisfaction bigint,
    redo boolean,
    recording text,
    primary key (ticket, round)
);
create index visit_due on visit (due_at, ticket) where state = 'due';
create index visit_closed on visit (closed_at);
create index visit_answered on visit (answered_at);

-- The audit of everything, not of tickets alone: the subject is a ticket's number, or `account ID`, `calendar`, …
create table audit_entry (
    subject text not null,
    sequence bigint not null,
    at timestamptz not null,
    actor text not null,
    action text not null,
    -- [{"field", "was", "is"}]
    changes text,
    reason text,
    address text,
    seal bigint,
    primary key (subject, sequence)
);
-- No row of the first schema names a field.
insert into audit_entry (subject, sequence, at, actor, action)
    select ticket, sequence, at, actor, action from audit;
drop table audit;
alter table audit_entry rename to audit;
create index audit_at on audit (at, subject, sequence);
create index audit_actor on audit (actor, at, subject, sequence);
create index audit_action on audit (action, at, subject, sequence);
create index audit_seal_rows on audit (seal, subject, sequence);
create index audit_unsealed on audit (at) where seal is null;

-- The last sequence of each subject; its row is what two changes of one subject wait for.
create table audit_subject (
    subject text primary key,
    last bigint not null
);
insert into audit_subject (subject, last) select subject, max(sequence) from audit group by subject;

-- Each seal's hash covers its rows and the seal before it.
create table audit_seal (
    id bigint primary key,
    at timestamptz not null,
    entries bigint not null,
    hash text not null
);

create table class (
    code text primary key,
    parent text references class (code),
    zh text not null,
    bo text not null,
    keywords text not null,
    active boolean not null
);

create table unit (
    code text primary key,
    city text not null,
    zh text not null,
    bo text not null,
    phone text,
    classes text not null,
    active boolean not null
);
create index unit_city on unit (city, code);

create table reason (
    kind text not null,
    code text not null,
    zh text not null,
    bo text not null,
    told text,
    active boolean not null,
    primary key (kind, code)
);

create table knowledge (
    id text primary key,
    city text,
    unit text not null references unit (code),
    position bigint not null,
    title_zh text not null,
    title_bo text not null,
    text_zh text not null,
    text_bo text not null,
    review_on date not null,
    choice text,
    prompt text,
    active boolean not null
);

create table account (
    id text primary key,
    name text not null unique,
    display_name text not null,
    role text not null,
    unit text references unit (code),
    -- Named for confidential tickets and reports of wrongdoing (举报).
    named boolean not null,
    password text not null,
    active boolean not null,
    created_at timestamptz not null,
    password_at timestamptz not null
);

create table account_city (
    account text not null references account (id),
    city text not null,
    primary key (account, city)
);

create table session (
    hash text primary key,
    account text not null references account (id),
    created_at timestamptz not null,
    seen_at timestamptz not null,
    address text not null
);
create index session_account on session (account);

-- The subject is `account NAME` or `address IP`.
create table login_failure (
    subject text primary key,
    failures bigint not null,
    last_at timestamptz not null
);

-- Another system and its API token.
create table client (
    id text primary key,
    name text not null unique,
    hash text not null unique,
    scopes text not null,
    -- Separated by spaces; empty means all.
    cities text not null,
    created_at timestamptz not null,
    revoked_at timestamptz
);

create table idempotency (
    client text not null,
    key text not null,
    -- A hash of the request.
    body text not null,
    ticket text references ticket (number),
    at timestamptz not null,
    primary key (client, key)
);

create table attachment (
    id text primary key,
    ticket text not null references ticket (number),
    name text not null,
    media_type text not null,
    bytes bigint not null,
    sha256 text not null,
    added_at timestamptz not null,
    actor text not null
);
create index attachment_ticket on attachment (ticket, added_at);

-- Announced days off and make-up working days of one scope and year, as ranges.
create table announcement (
    scope text not null,
    year bigint not null,
    off text not null,
    work text not null,
    primary key (scope, year)
);

-- Supervision (督办) of a matter or of a unit, beside that of single tickets. Open while ended_at is null.
create table supervision (
    id text primary key,
    subject text not null,
    city text not null,
    class text,
    place text,
    unit text,
    level bigint not null,
    tickets bigint not null,
    opened_at timestamptz not null,
    level_at timestamptz not null,
    ended_at timestamptz,
    ended_by text
);
create unique index supervision_open on supervision (subject) where ended_at is null;
create index supervision_ended on supervision (subject, ended_at);
create index supervision_opened on supervision (opened_at, id);

-- Messages to other systems and to citizens, kept until the far side has taken them.
create table outbox (
    id text primary key,
    kind text not null,
    target text not null,
    ticket text,
    -- Of the ticket, else 0: messages of one ticket go out in its order.
    version bigint not null,
    event text not null,
    body text not null,
    created_at timestamptz not null,
    attempts bigint not null,
    next_at timestamptz,
    delivered_at timestamptz,
    dead_at timestamptz,
    error text
);
create index outbox_due on outbox (kind, target, next_at) where next_at is not null;
create index outbox_order on outbox (ticket, kind, target, version, id) where next_at is not null;
create index outbox_dead on outbox (dead_at, id) where dead_at is not null;
create index outbox_ticket on outbox (ticket, created_at);

-- Text index: pairs of Chinese characters, Tibetan syllables, words of other scripts.
create table gram (
    gram text not null,
    ticket text not null,
    primary key (gram, ticket)
);
create index gram_ticket on gram (ticket);

-- Figures by day (src/ticket/figure.rs), of everything and of what has one value in one dimension: unit, class, channel,
-- language, type. The key is empty for what has no value there.
create table report_day (
    dimension text not null,
    day date not null,
    city text not null,
    key text not null,
    received bigint not null,
    valid bigint not null,
    accepted bigint not null,
    accepted_closed bigint not null,
    accepted_left_out bigint not null,
    closed bigint not null,
    closed_on_time bigint not null,
    direct bigint not null,
    refused bigint not null,
    merged bigint not null,
    withdrawn bigint not null,
    due bigint not null,
    due_met bigint not null,
    due_left_out bigint not null,
    contact_due bigint not null,
    contact_met bigint not null,
    contact_left_out bigint not null,
    visits bigint not null,
    visits_attempted bigint not null,
    visits_reached bigint not null,
    visits_left_out bigint not null,
    contact_answered bigint not null,
    contact_in_time bigint not null,
    solved_answered bigint not null,
    solved_yes bigint not null,
    solved_partly bigint not null,
    satisfaction_answered bigint not null,
    satisfied bigint not null,
    answers_left_out bigint not null,
    redone bigint not null,
    primary key (dimension, day, city, key)
);

-- Days whose figures may have changed since they were counted. A row a change, not a row a day: a change that is not
-- committed yet has a mark of its own, which a count under way does not take for counted.
create table report_stale (
    day date not null,
    city text not null,
    ticket text not null,
    version bigint not null,
    primary key (day, city, ticket, version)
);
insert into report_stale (day, city, ticket, version) select distinct created_day, city, '', 0 from ticket;

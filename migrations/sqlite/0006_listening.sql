-- What recordings are searched by, their waveforms, and how long they are kept.

-- Of its call.
alter table recording add column city text;
alter table recording add column direction text;
alter table recording add column language text;
alter table recording add column phone text;
-- The last four digits.
alter table recording add column phone_end text;
-- The ticket it belongs to: its own, its call's, or that of the return visit it was made in. The next three are that ticket's.
alter table recording add column owner text;
alter table recording add column unit text;
alter table recording add column shielded boolean not null default false;
alter table recording add column satisfaction bigint;
-- The requester answered a question of a return visit in its call.
alter table recording add column answered boolean not null default false;
-- How long it is, in steps: under 3, 30, 120, 300, 900 seconds, longer; null while it is open.
alter table recording add column span bigint;
-- Of the caller's channel: 20 ms frames that are louder than a line's noise; null: not measured.
alter table recording add column loud_ms bigint;
-- Its time was over; the file goes afterwards.
alter table recording add column deleted_at timestamp;
alter table recording add column erased_at timestamp;

create index attempt_call on attempt (call) where call is not null;

update recording set
    city = (select call.city from call where call.id = recording.call),
    direction = (select call.direction from call where call.id = recording.call),
    language = (select call.language from call where call.id = recording.call),
    phone = (select call.phone from call where call.id = recording.call),
    phone_end = (select substr(call.phone, length(call.phone) - 3) from call where call.id = recording.call),
    owner = coalesce(
        recording.ticket,
        (select ticket.number from ticket where ticket.call = recording.call),
        (select min(attempt.ticket) from attempt where attempt.call = recording.call)
    ),
    answered = exists (
        select 1 from attempt where attempt.call = recording.call
            and (attempt.contacted is not null or attempt.solved is not null or attempt.satisfaction is not null)
    ),
    span = case
        when duration_ms is null then null
        when duration_ms < 3000 then 0
        when duration_ms < 30000 then 1
        when duration_ms < 120000 then 2
        when duration_ms < 300000 then 3
        when duration_ms < 900000 then 4
        else 5
    end;
update recording set
    unit = (select ticket.lead_unit from ticket where ticket.number = recording.owner),
    shielded = exists (
        select 1 from ticket where ticket.number = recording.owner
            and (ticket.confidential or ticket.anonymous or ticket.request_type = 'report')
    ),
    satisfaction = (select ticket.satisfaction from ticket where ticket.number = recording.owner)
    where owner is not null;

create index recording_started on recording (started_at, id);
create index recording_city on recording (city, started_at, id);
create index recording_kind on recording (city, kind, started_at, id);
create index recording_span on recording (city, span, started_at, id);
create index recording_satisfaction on recording (city, satisfaction, started_at, id) where satisfaction is not null;
create index recording_answered on recording (city, started_at, id) where answered;
create index recording_phone on recording (phone, started_at, id);
create index recording_phone_end on recording (phone_end, started_at, id);
create index recording_owner on recording (owner, started_at, id);
create index recording_unit on recording (unit, started_at, id) where unit is not null;
create index recording_kept on recording (started_at, id) where deleted_at is null;
create index recording_to_erase on recording (node, erased_at, deleted_at) where deleted_at is not null;

-- The loudest sample of each stretch, a byte each, one channel after the other.
create table recording_peaks (
    recording text primary key not null references recording (id),
    samples_a_point bigint not null,
    points blob not null
);

-- The recordings of these tickets are kept whatever their age.
create table legal_hold (
    ticket text primary key not null references ticket (number),
    at timestamp not null,
    actor text not null,
    reason text not null
);
create index legal_hold_at on legal_hold (at, ticket);

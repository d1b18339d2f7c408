-- How well requests are handled (质检): tickets that are looked at, and what they were given.

-- Weeks, by their Monday, whose tickets are drawn.
create table review_week (
    city text not null,
    week date not null,
    drawn_at timestamp not null,
    primary key (city, week)
);

create table review (
    id text primary key not null,
    ticket text not null references ticket (number),
    city text not null,
    week date not null,
    why text not null,
    -- Whose work it is: an account, and the unit that led when it was drawn.
    person text,
    unit text,
    state text not null,
    drawn_at timestamp not null,
    scored_at timestamp,
    -- What counts.
    total bigint,
    appeal text,
    appealed_by text,
    appealed_at timestamp,
    decision text,
    decided_by text,
    decided_at timestamp,
    upheld boolean,
    unique (ticket, week)
);
create index review_city on review (city, week, id);
create index review_person on review (person, week, id);
create index review_unit on review (unit, week, id);

-- 1: the first score, 2: that of a second person.
create table review_score (
    review text not null references review (id),
    place bigint not null,
    scorer text not null,
    at timestamp not null,
    -- [{"item", "points"}]
    points text not null,
    -- Names separated by spaces.
    fatal text not null,
    total bigint not null,
    note text not null,
    primary key (review, place)
);

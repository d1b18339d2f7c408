-- What people keep of lists, and texts that replies begin with.

create table saved_view (
    id text primary key not null,
    account text not null references account (id),
    name text not null,
    path text not null,
    query text not null,
    created_at timestamp not null,
    unique (account, path, name)
);

create table reply_template (
    id text primary key not null,
    city text,
    unit text references unit (code),
    kind text not null,
    title text not null,
    text_zh text not null,
    text_bo text,
    active boolean not null
);

-- The browsers on which an account was signed in, by a keyed hash of a cookie that stays there.
create table known_device (
    customer_id text not null references account (customer_id) on delete cascade,
    device_hash text not null,
    first_at bigint not null,
    seen_at bigint not null,
    primary key (customer_id, device_hash)
);

-- What somebody who looks for abuse wants to know of. `subject` is `customer:<id>`, or a keyed hash of what was guessed
-- at or asked for.
create table risk_event (
    id text not null primary key,
    at bigint not null,
    kind text not null check (kind in ('new_device', 'many_failures', 'many_codes')),
    subject text not null,
    network_hash text not null
);

create index risk_event_at on risk_event (at);
create index risk_event_subject on risk_event (subject, at);

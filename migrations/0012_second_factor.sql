-- The second factor of a customer or of a member of staff: one-time passwords that an app makes from a shared secret
-- (RFC 6238). It counts once it is confirmed. `last_step` is the newest time step of which a code was accepted, so that
-- none is accepted twice.
-- `shown_to` names the session in which the secret, and then the recovery codes, may be seen; they are shown until
-- `shown_until` at most. `owner` is 'customer:<id>' or 'staff:<id>'.
create table second_factor (
    owner text not null primary key,
    customer_id text unique references account (customer_id) on delete cascade,
    staff_id text unique references staff (id) on delete cascade,
    secret_sealed bytea not null,
    confirmed_at bigint,
    last_step bigint not null,
    codes_sealed bytea,
    shown_to text not null,
    shown_until bigint not null,
    check ((customer_id is null) <> (staff_id is null))
);

-- For when the app is lost: each opens once.
create table recovery_code (
    owner text not null references second_factor (owner) on delete cascade,
    code_hash text not null,
    used_at bigint,
    primary key (owner, code_hash)
);

-- Somebody showed the first factor, and the second one is awaited.
create table pending_sign_in (
    token_hash text not null primary key,
    customer_id text references account (customer_id) on delete cascade,
    staff_id text references staff (id) on delete cascade,
    by_code boolean not null,
    expires_at bigint not null,
    check ((customer_id is null) <> (staff_id is null))
);

create index pending_sign_in_customer on pending_sign_in (customer_id);
create index pending_sign_in_staff on pending_sign_in (staff_id);
create index pending_sign_in_expiry on pending_sign_in (expires_at);

-- One more kind of event, which takes a new table: a check cannot be changed everywhere.
create table risk_event_kinds (
    id text not null primary key,
    at bigint not null,
    kind text not null check (kind in ('new_device', 'many_failures', 'many_codes', 'recovery_code_used')),
    subject text not null,
    network_hash text not null
);

insert into risk_event_kinds (id, at, kind, subject, network_hash)
    select id, at, kind, subject, network_hash from risk_event;

drop table risk_event;

alter table risk_event_kinds rename to risk_event;

create index risk_event_at on risk_event (at);
create index risk_event_subject on risk_event (subject, at);

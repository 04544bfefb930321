-- A customer who can sign in from anywhere has an account; one without is a guest. An account has a customer of its own,
-- never that of a guest: the cookie of a guest opens nothing but what the guest has.
create table account (
    customer_id text not null primary key references customer (id) on delete cascade,
    login text unique,
    password_hash text,
    name_sealed bytea,
    created_at bigint not null
);

-- What an account is reached by, shown to be the owner's by a code.
create table account_target (
    customer_id text not null references account (customer_id) on delete cascade,
    kind text not null check (kind in ('phone', 'email')),
    target_hash text not null,
    target_sealed bytea not null,
    verified_at bigint not null,
    primary key (customer_id, kind)
);

create unique index account_target_hash on account_target (target_hash);

create table session (
    id text not null primary key,
    token_hash text not null unique,
    customer_id text not null references account (customer_id) on delete cascade,
    device text not null,
    by_code boolean not null,
    opened_at bigint not null,
    seen_at bigint not null,
    expires_at bigint not null
);

create index session_customer on session (customer_id, seen_at);
create index session_expiry on session (expires_at);

-- One-time codes. `asker_hash` stands for the address that asked.
create table one_time_code (
    id text not null primary key,
    target_hash text not null,
    target_sealed bytea not null,
    code_hash text not null,
    asker_hash text not null,
    created_at bigint not null,
    expires_at bigint not null,
    tries bigint not null,
    used_at bigint
);

create index one_time_code_target on one_time_code (target_hash, created_at);
create index one_time_code_asker on one_time_code (asker_hash, created_at);
create index one_time_code_created on one_time_code (created_at);

-- Failed tries in a row of something that can be guessed, under a keyed hash of what was tried.
create table attempt (
    key_hash text not null primary key,
    failures bigint not null,
    blocked_until bigint not null,
    changed_at bigint not null
);

create index attempt_changed on attempt (changed_at);

-- What somebody agreed to, in which version, and when. Rows are added and never changed: the newest of a purpose holds.
create table consent (
    id text not null primary key,
    customer_id text not null references customer (id) on delete cascade,
    purpose text not null,
    version text not null,
    granted boolean not null,
    at bigint not null
);

create index consent_customer on consent (customer_id, purpose, at);

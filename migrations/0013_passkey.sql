-- Passkeys of accounts (Web Authentication). What an authenticator calls a credential links a person's accounts wherever
-- it is seen, so it lies sealed with the public key, and is found by a keyed hash.
create table passkey (
    id text not null primary key,
    customer_id text not null references account (customer_id) on delete cascade,
    credential_hash text not null unique,
    credential_sealed bytea not null,
    name_sealed bytea not null,
    created_at bigint not null,
    last_used_at bigint
);

create index passkey_customer on passkey (customer_id, created_at);

-- Ceremonies that wait for the answer of a browser, each for one answer. A registration has a customer, a sign-in none.
create table passkey_ceremony (
    id text not null primary key,
    customer_id text references account (customer_id) on delete cascade,
    state_sealed bytea not null,
    expires_at bigint not null
);

create index passkey_ceremony_expiry on passkey_ceremony (expires_at);
create index passkey_ceremony_customer on passkey_ceremony (customer_id);

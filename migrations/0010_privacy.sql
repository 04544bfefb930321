-- The keys of the shop, each sealed under the master key. Values are sealed under the newest 'sealing' key whose time has
-- come, and carry its id. `done_to` tells how far older values were sealed anew under it: a place and a row.
create table data_key (
    purpose text not null check (purpose in ('sealing', 'lookup', 'signing')),
    id bigint not null check (id between 1 and 255),
    wrapped bytea not null,
    active_at bigint not null,
    done_to text not null,
    primary key (purpose, id)
);

-- A copy of all that is kept of a customer, asked for by the customer. One that is 'gone' expired or was thrown away.
create table privacy_export (
    id text not null primary key,
    customer_id text not null references account (customer_id) on delete cascade,
    locale text not null,
    state text not null check (state in ('asked', 'making', 'ready', 'failed', 'gone')),
    asked_at bigint not null,
    attempts bigint not null,
    next_at bigint not null,
    ready_at bigint,
    expires_at bigint,
    bytes bigint
);

create index privacy_export_customer on privacy_export (customer_id, asked_at);
create index privacy_export_due on privacy_export (state, next_at);
-- One at a time.
create unique index privacy_export_open on privacy_export (customer_id) where state in ('asked', 'making', 'ready');

-- The file, sealed in parts. Those of another attempt than the copy's last one were left behind.
create table privacy_export_part (
    export_id text not null references privacy_export (id) on delete cascade,
    attempt bigint not null,
    position bigint not null,
    part_sealed bytea not null,
    primary key (export_id, attempt, position)
);

-- Accounts that are to be erased, and when; until then it can be taken back.
create table account_deletion (
    customer_id text not null primary key references account (customer_id) on delete cascade,
    asked_at bigint not null,
    erase_at bigint not null
);

create index account_deletion_due on account_deletion (erase_at);

-- What of an order was handed to whom, and when. It names kinds of data and holds none of them.
create table order_sharing (
    order_id text not null references orders (id) on delete cascade,
    sequence bigint not null,
    receiver text not null check (receiver in ('carrier', 'payment')),
    name text not null,
    data text not null,
    at bigint not null,
    primary key (order_id, sequence)
);

-- For whoever asks what the record says of them.
create index audit_actor on audit (actor, sequence);

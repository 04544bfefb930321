-- The addresses of an account: recipient, contact, address and label, sealed to the row. `contact_hash` is a keyed hash
-- over the recipient and the address, so that the same one is kept once however often it is sent.
create table address (
    id text not null primary key,
    customer_id text not null references account (customer_id) on delete cascade,
    contact_hash text not null,
    sealed bytea not null,
    created_at bigint not null,
    changed_at bigint not null,
    unique (customer_id, contact_hash)
);

-- The one to begin with; there is one as long as there is any. The draft is what was typed into the form of an address
-- and could not be saved, sealed.
alter table account add column default_address_id text;
alter table account add column address_draft_sealed bytea;

-- Products that a customer likes.
create table favourite (
    customer_id text not null references customer (id) on delete cascade,
    product_id text not null references product (id) on delete cascade,
    added_at bigint not null,
    primary key (customer_id, product_id)
);

create index favourite_newest on favourite (customer_id, added_at);

-- Products that a customer looked at, each with the last time.
create table viewed (
    customer_id text not null references customer (id) on delete cascade,
    product_id text not null references product (id) on delete cascade,
    viewed_at bigint not null,
    primary key (customer_id, product_id)
);

create index viewed_newest on viewed (customer_id, viewed_at);

-- Which messages an account wants over which channel, where it chose; what was never chosen follows the rule.
create table notification_choice (
    customer_id text not null references account (customer_id) on delete cascade,
    topic text not null check (topic in ('order', 'delivery', 'back_in_stock', 'marketing')),
    channel text not null check (channel in ('phone', 'email')),
    wanted boolean not null,
    changed_at bigint not null,
    primary key (customer_id, topic, channel)
);

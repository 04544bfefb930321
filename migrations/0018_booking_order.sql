-- A booking in a cart: a wish as JSON, which holds nothing.
create table cart_booking (
    id text not null primary key,
    customer_id text not null references cart (customer_id) on delete cascade,
    variant_id text not null references variant (id) on delete cascade,
    wish text not null,
    price_seen bigint not null,
    added_at bigint not null
);

create index cart_booking_customer on cart_booking (customer_id, added_at);

-- What a line of an order that is a booking has beside order_line, which keeps title, price and picture. `detail` is a
-- snapshot as JSON: the wish, the price of each night, the rules for giving it up. `local_date` is by the clocks of the
-- zone.
create table order_booking (
    order_id text not null,
    position bigint not null,
    kind text not null check (kind in ('stay', 'trip', 'table', 'service')),
    zone text not null,
    start_at bigint not null,
    end_at bigint not null,
    local_date text not null,
    detail text not null,
    free_until bigint not null,
    state text not null check (state in ('booked', 'checked_in', 'done', 'no_show', 'cancelled')),
    reminded_at bigint,
    version bigint not null,
    primary key (order_id, position),
    foreign key (order_id, position) references order_line (order_id, position) on delete cascade
);

create index order_booking_when on order_booking (state, start_at);

-- Who travels or stays, where the carrier or the law asks for names and documents.
create table traveller (
    order_id text not null,
    position bigint not null,
    number bigint not null,
    person_sealed bytea not null,
    primary key (order_id, position, number),
    foreign key (order_id, position) references order_booking (order_id, position) on delete cascade
);

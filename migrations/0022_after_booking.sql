-- What comes after a booking.

-- Part of a payment goes back when one booking of an order is given up, or moved to where it costs less: so a payment is
-- refunded once for each part of it, where it was refunded once. `part` says what for: `whole` is all that is left of it,
-- `booking:<position>` a booking that was given up, `move:<position>:<version>` one that was moved.
create table refund_by_part (
    id text not null primary key,
    payment_id text not null references payment (id),
    order_id text not null references orders (id),
    part text not null,
    amount bigint not null,
    reason text not null,
    state text not null check (state in ('pending', 'succeeded')),
    requested_at bigint not null,
    settled_at bigint,
    unique (payment_id, part)
);

insert into refund_by_part (id, payment_id, order_id, part, amount, reason, state, requested_at, settled_at)
select id, payment_id, order_id, 'whole', amount, reason, state, requested_at, settled_at from refund;

drop table refund;

alter table refund_by_part rename to refund;

create index refund_order on refund (order_id);

-- Of what was paid for a booking: what the venue kept when it was given up, and what came back when it was moved.
alter table order_booking add column kept bigint not null default 0;
alter table order_booking add column returned bigint not null default 0;

-- When the goods of an order were received of which a booking was still to come.
alter table orders add column arrived_at bigint;

-- Who waits for a booking that somebody else has. What comes free is held for the first in line until `expires_at`.
-- `until_at` is when it begins: nobody waits longer.
create table waiting (
    id text not null primary key,
    customer_id text not null references customer (id) on delete cascade,
    variant_id text not null references variant (id) on delete cascade,
    wish text not null,
    locale text not null,
    asked_at bigint not null,
    until_at bigint not null,
    offered_at bigint,
    expires_at bigint,
    unique (customer_id, variant_id, wish)
);

create index waiting_first on waiting (variant_id, asked_at);
create index waiting_until on waiting (until_at);

-- For whom in a waiting list a claim without an order is held.
alter table claim add column waiting_id text;

create index claim_waiting on claim (waiting_id);
create index claim_expiry on claim (expires_at);

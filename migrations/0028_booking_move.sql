-- Moves of bookings that have to be paid first. While one is held, what it claims elsewhere is kept beside what the booking
-- has; it ends as paid, and the booking is there then, or as expired or given up, and the booking stays where it was.

-- `detail` says as JSON where it goes. `due` is what has to be paid, and `fee` what of it is for the change itself. Times are
-- UTC milliseconds.
create table booking_move (
    id text not null primary key,
    order_id text not null,
    position bigint not null,
    detail text not null,
    fee bigint not null check (fee >= 0),
    due bigint not null check (due > 0),
    state text not null check (state in ('held', 'paid', 'expired', 'given_up')),
    expires_at bigint not null,
    made_at bigint not null,
    ended_at bigint,
    foreign key (order_id, position) references order_booking (order_id, position) on delete cascade
);

create unique index booking_move_held on booking_move (order_id, position) where state = 'held';
create index booking_move_booking on booking_move (order_id, position);
create index booking_move_due on booking_move (state, expires_at);

-- Of a booking: what was paid beside its price when it was moved, and what the changes themselves cost, which comes back by
-- no rule.
alter table order_booking add column added bigint not null default 0;
alter table order_booking add column fees bigint not null default 0;

-- The move that a payment is for; none of one that is for the order.
alter table payment add column move_id text references booking_move (id);

create index payment_move on payment (move_id);

-- For which move of its booking a claim is held.
alter table claim add column move_id text;

create index claim_move on claim (move_id);

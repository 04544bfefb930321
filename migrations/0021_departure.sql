-- A search for trips looks at the departures of all lines on a date.
create index departure_leaves on departure (leaves_at);

-- When a line leaves again and again: departures are made of it day by day, as far ahead as its venue takes bookings.
-- `pattern` is JSON; `made_until` the last day, counted from 1970, of which departures were made.
create table timetable (
    product_id text not null references product (id) on delete cascade,
    key text not null,
    pattern text not null,
    made_until bigint not null,
    primary key (product_id, key)
);
